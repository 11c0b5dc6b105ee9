//! PostHog's protocols, one variant each; what there is to know of each is in its own file.

use super::spec::ProtocolSpec;
use super::{legacy, v0, v1};

/// Which of PostHog's protocols carries the events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// `POST /batch/`, the older one, which every PostHog and every compatible endpoint takes. The default.
    #[default]
    V0,
    /// `POST /i/v1/analytics/events`, the newer one: the key travels in a header, each event has a result of
    /// its own, and only events that ask for it are sent again.
    V1,
    /// `POST /batch/` as PostHog's libraries wrote it years ago, for endpoints that were made for them: `type`,
    /// `library` and `library_version` at the root of each event, `$set` of `$identify` there too, and neither
    /// `$is_server` nor `sent_at`. PostHog takes this form as well.
    Legacy,
}

impl Protocol {
    /// Returns what the protocol's file declares.
    pub(crate) const fn spec(self) -> &'static ProtocolSpec {
        match self {
            Self::V0 => &v0::SPEC,
            Self::V1 => &v1::SPEC,
            Self::Legacy => &legacy::SPEC,
        }
    }
}
