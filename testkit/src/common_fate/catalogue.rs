//! The catalogue of Common Fate and the rules of its edge, both generated from the events.

use candor::{Catalogue, events};

use super::events::{
    DeploymentInfo, RequestCreated, RequestReviewed, RequestRevoked, RuleArchived, RuleCreated, RuleUpdated,
    UserInfo,
};
use crate::systems::edge::{Form, Rules};

/// Everything that is sent.
pub const CATALOGUE: Catalogue = events![
    DeploymentInfo<'_>,
    UserInfo<'_>,
    RequestCreated<'_>,
    RequestReviewed<'_>,
    RequestRevoked<'_>,
    RuleArchived<'_>,
    RuleCreated<'_>,
    RuleUpdated<'_>,
]
.product("Common Fate")
.endpoint("https://t.commonfate.io")
.sent_beside(&[
    ("uuid", "A unique identifier of the event, so it is stored only once."),
    ("type", "The kind of event: `capture` or `identify`."),
    ("timestamp", "When the event happened, in UTC."),
    ("library", "The library that sent the event."),
    ("library_version", "The version of that library."),
    ("$lib", "The library that sent the event."),
    ("$lib_version", "The version of that library."),
    ("$geoip_disable", "Added at the edge: asks PostHog not to derive a location from the sender's IP address."),
])
.groups(&[("deployment", "a random id of the deployment, which PostHog needs to tell groups apart")])
.recipients(&[
    ("Cloudflare Workers", "receives the events and forwards them; addresses are not logged"),
    ("PostHog", "stores and counts them; results are published in aggregate only"),
])
.turn_off(&[
    "Set `AnalyticsDisabled: \"true\"` under `deployment.parameters` in `granted-deployment.yml` and update your \
     deployment. Remove the entry to turn it on again.",
    "Set the environment variable `CF_ANALYTICS_DISABLED=true`.",
    "Set the environment variable `DO_NOT_TRACK=1`.",
])
.link("https://docs.commonfate.io/common-fate/telemetry")
.kept_on_disk()
// Version 2: what cannot be delivered is kept on the server until it can.
.notice_version(2);

/// The edge: it stores only what the catalogue lists, and no addresses.
pub const EDGE: Rules = Rules {
    path: "/batch/",
    catalogue: CATALOGUE,
    form: Form::Batch(&["deployment"]),
    needs_bearer: false,
    keeps_address: false,
    max_body_bytes: 500_000,
    days: 365,
};
