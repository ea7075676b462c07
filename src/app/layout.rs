//! How many lines of the screen are for what: known to the core, because a page down depends on it.

/// The terminal's size in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub width: u16,
    pub height: u16,
}

impl Size {
    /// Two lines of header and one of tabs above, one of hints below.
    pub const HEADER: u16 = 3;
    pub const FOOTER: u16 = 1;
    /// Below this a list is not usable, and the screen says so.
    pub const SMALLEST: Self = Self { width: 40, height: 8 };

    pub const fn body(self) -> u16 {
        self.height.saturating_sub(Self::HEADER + Self::FOOTER)
    }

    /// Lines of the pane below the triage list that say the selected finding in full; none on a low screen.
    pub const fn triage_detail(self) -> u16 {
        match self.body() {
            0..12 => 0,
            12..24 => 8,
            24.. => 11,
        }
    }

    pub const fn is_too_small(self) -> bool {
        self.width < Self::SMALLEST.width || self.height < Self::SMALLEST.height
    }
}

impl Default for Size {
    fn default() -> Self {
        Self { width: 80, height: 24 }
    }
}
