//! What an endpoint takes in one request, and which codecs it reads.

use super::codec::Compression;

/// What an endpoint takes: an envelope states it in [`Envelope::limits`](crate::wire::Envelope::limits).
///
/// The client holds to it, whatever the configuration says: batches are cut by the smaller of the two.
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
    /// Creates limits that suit most endpoints: bodies of up to 20 MiB before compression, with as many events as fit;
    /// every codec; 8 KiB of a response's body.
    pub const fn new() -> Self {
        Self {
            max_events: usize::MAX,
            max_body_bytes: 20 * 1024 * 1024,
            max_event_bytes: usize::MAX,
            max_response_bytes: 8 * 1024,
            codecs: &Compression::ALL,
        }
    }

    /// Sets how many events fit in one request; as many as the bytes allow unless set. 0 means 1.
    #[must_use]
    pub const fn max_events(self, events: usize) -> Self {
        Self { max_events: if events == 0 { 1 } else { events }, ..self }
    }

    /// Sets how many bytes a body may have before compression; 20 MiB unless set.
    ///
    /// A [`Config::batch_bytes`](crate::Config::batch_bytes) beyond it is an error when the client is made. An event
    /// that is too large even alone is lost, and counted as [`TooLarge`](crate::LossReason::TooLarge).
    #[must_use]
    pub const fn max_body_bytes(self, bytes: usize) -> Self {
        Self { max_body_bytes: bytes, ..self }
    }

    /// Sets how many bytes one event may have; what [`Config::event_bytes`](crate::Config::event_bytes) says unless
    /// this is less. A larger one is lost when it is captured, and counted as
    /// [`TooLarge`](crate::LossReason::TooLarge).
    #[must_use]
    pub const fn max_event_bytes(self, bytes: usize) -> Self {
        Self { max_event_bytes: bytes, ..self }
    }

    /// Sets how many bytes of a response's body are worth reading; 8 KiB unless set. The connection can be used again
    /// if the body ends within them.
    #[must_use]
    pub const fn max_response_bytes(self, bytes: usize) -> Self {
        Self { max_response_bytes: bytes, ..self }
    }

    /// Sets which codecs the endpoint reads; all of them unless set. A plain body is always one of them.
    ///
    /// A [`Config::compression`](crate::Config::compression) that is not among them is an error when the client is
    /// made.
    #[must_use]
    pub const fn codecs(self, codecs: &'static [Compression]) -> Self {
        Self { codecs, ..self }
    }

    /// Returns whether the endpoint reads bodies that are compressed like this.
    pub fn accepts(&self, codec: Compression) -> bool {
        codec == Compression::None || self.codecs.contains(&codec)
    }
}

#[cfg(test)]
mod tests {
    use super::Compression;
    use super::EnvelopeLimits;

    #[test]
    fn a_plain_body_is_always_accepted_and_others_as_stated() {
        let none = EnvelopeLimits::new().codecs(&[]);
        assert!(none.accepts(Compression::None) && !none.accepts(Compression::Gzip));
        assert!(Compression::ALL.iter().all(|codec| EnvelopeLimits::default().accepts(*codec)));
        assert_eq!(none.max_events(0).max_events, 1);
    }
}
