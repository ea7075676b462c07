//! The wire, against what a real API server sent: both encodings of the same objects give the same rows, however
//! they are cut, and no bytes at all make it panic.

#[path = "wire/encodings.rs"]
mod encodings;
#[path = "wire/expected.rs"]
mod expected;
#[path = "wire/hostile.rs"]
mod hostile;
#[path = "wire/reading.rs"]
mod reading;
#[path = "wire/recorded.rs"]
mod recorded;
#[path = "wire/statuses.rs"]
mod statuses;
#[path = "wire/workloads.rs"]
mod workloads;
