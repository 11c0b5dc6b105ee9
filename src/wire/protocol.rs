//! PostHog's protocols, one variant each. Each protocol is declared in its own file.

use super::spec::ProtocolSpec;
use super::{legacy, v0, v1};

/// Which of PostHog's protocols carries the events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// `POST /batch/`, the older protocol, which every PostHog and every compatible endpoint accepts. The default.
    #[default]
    V0,
    /// `POST /i/v1/analytics/events`, the newer protocol: the key is in a header, the endpoint returns a result for
    /// each event, and only the events that it asks for are sent again.
    V1,
    /// `POST /batch/` as PostHog's libraries wrote it years ago, for endpoints that were built for them: `type`,
    /// `library` and `library_version` are at the root of each event, and so is the `$set` of `$identify`; there is
    /// neither `$is_server` nor `sent_at`. PostHog still accepts this form.
    Legacy,
}

impl Protocol {
    /// Returns the declaration of the protocol.
    pub(crate) const fn spec(self) -> &'static ProtocolSpec {
        match self {
            Self::V0 => &v0::SPEC,
            Self::V1 => &v1::SPEC,
            Self::Legacy => &legacy::SPEC,
        }
    }
}
