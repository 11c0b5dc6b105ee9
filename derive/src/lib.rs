//! The derive macros of candor. Users never name this crate: the macros are re-exported, and
//! documented, by `candor`. It takes type definitions, gives trait implementations, and never
//! reads anything but its input.
