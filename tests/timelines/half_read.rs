//! Pictures in which a kind is missing, half read or old: what is said of them is said of the whole picture, too.
