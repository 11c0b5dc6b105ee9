//! Selects the TLS of this build.

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
mod disabled;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod enabled;

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
pub(super) use disabled::with_tls;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
pub(super) use enabled::with_tls;
