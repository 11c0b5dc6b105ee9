//! The macros do not allow anything that an application forbids.

#![forbid(warnings, unused, missing_docs)]

/// Something happened.
#[derive(candor::Event)]
#[event(name = "happened", distinct_id = "tool")]
pub struct Happened {
    /// How it ended.
    pub outcome: Outcome,
    /// The version of the provider.
    #[event(pattern = "v[0-9]+", max = 8, example = "v1")]
    pub version: String,
}

/// How it ended.
#[derive(Clone, Copy, candor::Label)]
pub enum Outcome {
    /// Well.
    Success,
}

fn main() {
    let (borrowed, owned) = ("node-7", String::from("node-7"));
    candor::event!("server started", distinct_id = borrowed, replicas = 3);
    candor::event!("server started", distinct_id = &owned, r#type = "blue");
    candor::event!("server started", distinct_id = owned, groups = { company = "acme" });
    candor::capture(Happened { outcome: Outcome::Success, version: "v1".to_owned() });
}
