//! The limits of one request, and the codecs that an endpoint accepts.

use super::codec::Compression;

/// The limits of an endpoint, which an envelope returns from [`Envelope::limits`](crate::wire::Envelope::limits).
///
/// The client keeps to them whatever the configuration says.
///
/// ```
/// use candor::Compression;
/// use candor::wire::EnvelopeLimits;
///
/// const LIMITS: EnvelopeLimits =
///     EnvelopeLimits::new().max_events(100).max_body_bytes(64 * 1024).codecs(&[Compression::Gzip]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvelopeLimits {
    pub(crate) max_events: usize,
    pub(crate) max_body_bytes: usize,
    pub(crate) max_event_bytes: usize,
    pub(crate) max_response_bytes: usize,
    pub(crate) codecs: &'static [Compression],
}

impl Default for EnvelopeLimits {
    fn default() -> Self {
        Self::new()
    }
}

impl EnvelopeLimits {
    /// Creates limits that suit most endpoints: bodies of up to 20 MiB before compression with any number of events,
    /// all codecs, and responses of up to 8 KiB.
    pub const fn new() -> Self {
        Self {
            max_events: usize::MAX,
            max_body_bytes: 20 * 1024 * 1024,
            max_event_bytes: usize::MAX,
            max_response_bytes: 8 * 1024,
            codecs: &Compression::ALL,
        }
    }

    /// Sets the maximum number of events in one request. Unlimited by default; 0 means 1.
    #[must_use]
    pub const fn max_events(self, events: usize) -> Self {
        Self { max_events: if events == 0 { 1 } else { events }, ..self }
    }

    /// Sets the maximum size of a body before compression, in bytes. Defaults to 20 MiB.
    ///
    /// Creating a client with a larger [`Config::batch_bytes`](crate::Config::batch_bytes) is an error. An event whose
    /// body alone would be too large is lost and counted as [`TooLarge`](crate::LossReason::TooLarge).
    #[must_use]
    pub const fn max_body_bytes(self, bytes: usize) -> Self {
        Self { max_body_bytes: bytes, ..self }
    }

    /// Sets the maximum size of one event, in bytes. It applies if it is smaller than
    /// [`Config::event_bytes`](crate::Config::event_bytes). A larger event is lost when it is captured, and counted as
    /// [`TooLarge`](crate::LossReason::TooLarge).
    #[must_use]
    pub const fn max_event_bytes(self, bytes: usize) -> Self {
        Self { max_event_bytes: bytes, ..self }
    }

    /// Sets how many bytes of a response's body are read. Defaults to 8 KiB. The connection is reused only if the body
    /// ends within them.
    #[must_use]
    pub const fn max_response_bytes(self, bytes: usize) -> Self {
        Self { max_response_bytes: bytes, ..self }
    }

    /// Sets which codecs the endpoint accepts. All of them by default; a plain body is always accepted.
    ///
    /// Creating a client with any other [`Config::compression`](crate::Config::compression) is an error.
    #[must_use]
    pub const fn codecs(self, codecs: &'static [Compression]) -> Self {
        Self { codecs, ..self }
    }

    /// Returns whether the endpoint accepts bodies compressed with this codec.
    pub fn accepts(&self, codec: Compression) -> bool {
        codec == Compression::None || self.codecs.contains(&codec)
    }
}

#[cfg(test)]
mod tests {
    use super::Compression;
    use super::EnvelopeLimits;

    #[test]
    fn a_plain_body_is_always_accepted() {
        let none = EnvelopeLimits::new().codecs(&[]);
        assert!(none.accepts(Compression::None) && !none.accepts(Compression::Gzip));
        assert!(Compression::ALL.iter().all(|codec| EnvelopeLimits::default().accepts(*codec)));
        assert_eq!(none.max_events(0).max_events, 1);
    }
}
