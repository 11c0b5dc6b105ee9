//! What Common Fate tells its users, and what its edge takes: both from the events.
//!
//! Never lists a field by hand.

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
    ("uuid", "A fresh number for this one event, so that it is stored once."),
    ("type", "What kind of event it is: `capture` or `identify`."),
    ("timestamp", "When it happened, in UTC."),
    ("library", "The library that sent the event."),
    ("library_version", "The version of that library."),
    ("$lib", "The library that sent the event."),
    ("$lib_version", "The version of that library."),
    ("$geoip_disable", "Added at the edge: asks PostHog not to look up a place."),
])
.groups(&[("deployment", "a random id of the deployment, which PostHog needs to tell groups apart")])
.recipients(&[
    ("Cloudflare Workers", "takes the events and passes them on; addresses are not logged"),
    ("PostHog", "stores and counts them; results are published in aggregate only"),
])
.turn_off(&[
    "Set `AnalyticsDisabled: \"true\"` under `deployment.parameters` in `granted-deployment.yml` and update your \
     deployment. Remove the entry to turn it on again.",
    "Set the environment variable `CF_ANALYTICS_DISABLED=true`.",
    "Set the environment variable `DO_NOT_TRACK=1`.",
])
.link("https://docs.commonfate.io/common-fate/telemetry");

/// The edge: no address is kept, and nothing beyond the catalogue.
pub const EDGE: Rules = Rules {
    path: "/batch/",
    catalogue: CATALOGUE,
    form: Form::Batch(&["deployment"]),
    needs_bearer: false,
    keeps_address: false,
    most_body: 500_000,
    days: 365,
};
