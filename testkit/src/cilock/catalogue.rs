//! What cilock tells its users, and what its edge takes: both from the record.
//!
//! Never lists a field by hand.

use candor::{Catalogue, events};

use super::events::CliRun;
use crate::systems::edge::{Form, Rules};

/// Everything that is sent.
pub const CATALOGUE: Catalogue = events![CliRun<'_>]
    .product("cilock")
    .flat_records()
    .sent_beside(&[
        ("ip", "Added at the edge, against abuse and for a coarse place only: the address of the sender."),
        ("country", "Added at the edge: the country of that address."),
    ])
    .endpoint("https://platform.example.com/cli/t")
    .identified("the record names the organisation's account, and the edge adds the address and country of the sender")
    .recipients(&[("TestifySec", "stores the records"), ("Cloudflare", "hosts the edge, as a processor")])
    .turn_off(&[
        "It is off while nobody is signed in.",
        "Set the environment variable `DO_NOT_TRACK=1`.",
        "Set the environment variable `CILOCK_TELEMETRY=0`.",
        "Switch it off in the settings of your account, for everybody under it.",
    ])
    .link("https://platform.example.com/docs/telemetry");

/// The edge: a session's token, exactly these fields, and its own idea of where the sender is.
pub const EDGE: Rules = Rules {
    path: "/cli/t",
    catalogue: CATALOGUE,
    form: Form::Record,
    needs_bearer: true,
    keeps_address: true,
    most_body: 16 * 1024,
    days: 90,
};
