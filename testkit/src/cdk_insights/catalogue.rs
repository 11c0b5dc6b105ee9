//! The catalogue of CDK Insights and the rules of its edge, both generated from the events.

use candor::{Catalogue, events};

use super::events::{BaselineWritten, DiffRun, Envelope, FixRun};
use crate::systems::edge::{Form, Rules};

/// Everything that is sent.
pub const CATALOGUE: Catalogue = events![BaselineWritten<'_>, DiffRun<'_>, FixRun<'_>]
    .product("CDK Insights")
    .flat_records()
    .sent_beside(&[
        ("hashedLicenseId", "The first 32 hexadecimal digits of the licence key's SHA-256."),
        ("emittedAt", "When the record was sent, in UTC."),
        ("event", "The fields of the event below, with its name as `type`."),
    ])
    .super_properties::<Envelope<'_>>()
    .endpoint("https://cdk-insights.example.com/telemetry")
    .retention("Records are deleted after 365 days. Totals that are kept longer cannot be traced to a run.")
    .recipients(&[("CDK Insights", "stores the records; the gateway logs addresses for its operation")])
    .turn_off(&[
        "It is off until `telemetry.enabled` is `true` in `.cdk-insights.json` and a licence key is configured. Set \
         it to `false`, or remove the block, to turn it off again.",
        "Set the environment variable `CDK_INSIGHTS_TELEMETRY=0`.",
        "Set the environment variable `DO_NOT_TRACK=1`.",
    ])
    .link("https://cdk-insights.example.com/docs/telemetry");

/// The edge: anyone may post; only what the catalogue lists is stored, for at most a year.
pub const EDGE: Rules = Rules {
    path: "/telemetry",
    catalogue: CATALOGUE,
    form: Form::Nested,
    needs_bearer: false,
    keeps_address: false,
    max_body_bytes: 64 * 1024,
    days: 365,
};
