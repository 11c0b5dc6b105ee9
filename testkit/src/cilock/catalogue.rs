//! The catalogue of cilock and the rules of its edge, both generated from the record.

use candor::{Catalogue, events};

use super::events::CliRun;
use crate::systems::edge::{Form, Rules};

/// Everything that is sent.
pub const CATALOGUE: Catalogue = events![CliRun<'_>]
    .product("cilock")
    .flat_records()
    .sent_beside(&[
        ("ip", "Added at the edge, only to prevent abuse and for a coarse location: the address of the sender."),
        ("country", "Added at the edge: the country of that address."),
    ])
    .endpoint("https://platform.example.com/cli/t")
    .identified("the record names the organisation's account, and the edge adds the address and country of the sender")
    .recipients(&[("TestifySec", "stores the records"), ("Cloudflare", "hosts the edge, as a processor")])
    .turn_off(&[
        "Sign out. It is off while nobody is signed in.",
        "Set the environment variable `DO_NOT_TRACK=1`.",
        "Set the environment variable `CILOCK_TELEMETRY=0`.",
        "Switch it off in the settings of your account, for everyone who uses the account.",
    ])
    .link("https://platform.example.com/docs/telemetry");

/// The edge: it requires a session's token and exactly these fields, and determines the sender's address itself.
pub const EDGE: Rules = Rules {
    path: "/cli/t",
    catalogue: CATALOGUE,
    form: Form::Record,
    needs_bearer: true,
    keeps_address: true,
    max_body_bytes: 16 * 1024,
    days: 90,
};
