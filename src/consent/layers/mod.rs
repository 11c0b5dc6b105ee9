//! The layers of the gate. Each has its own file and a row in the table.

mod account;
mod app_env;
mod build;
mod deployment;
mod environment;
mod file;
mod flag;
mod machine_policy;
mod misspelt;
mod mode;
mod preconditions;
mod project;
mod runtime;
mod universal;
mod user;
mod variable;

use serde::Serialize;

use super::finding::{Finding, Grants, Heard};
use super::inputs::Inputs;

pub(crate) use deployment::asks_for_debug;
pub(crate) use misspelt::Switch;
pub(crate) use mode::notice_is_due;
pub(crate) use user::refusals;

/// How long a layer's denial lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasts {
    ThisRun,
    /// It outlives the run, and what is stored is deleted with it.
    Beyond,
}

/// Whether a layer's denial decides before any file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decides {
    BeforeFiles,
    WithFiles,
}

macro_rules! layers {
    ($($(#[$doc:meta])* $layer:ident: $room:ident, $lasts:ident, $decides:ident, $grants:ident;)*) => {
        /// A layer of the gate. The order is for explanation only: a denial decides wherever it comes from.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Layer {
            $($(#[$doc])* $layer,)*
        }

        impl Layer {
            /// All layers, in the order in which they are explained. Layers that interpret silence come after the
            /// layers whose grants they look for.
            pub(crate) const ALL: &[Self] = &[$(Self::$layer),*];

            /// Returns the name of the layer in lower case, with underscores.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$layer => stringify!($room),)*
                }
            }

            fn traits(self) -> (Lasts, Decides, Grants) {
                match self {
                    $(Self::$layer => (Lasts::$lasts, Decides::$decides, Grants::$grants),)*
                }
            }

            fn asked(self, inputs: &Inputs, heard: &Heard) -> Finding {
                match self {
                    $(Self::$layer => $room::ask(inputs, heard),)*
                }
            }
        }
    };
}

layers! {
    /// L0: whether telemetry is built in.
    Build: build, ThisRun, BeforeFiles, Never;
    /// L1: `DO_NOT_TRACK`.
    Universal: universal, ThisRun, BeforeFiles, Never;
    /// L2: the application's own variables and its deny aliases.
    AppEnv: app_env, ThisRun, BeforeFiles, Everywhere;
    /// L3: the `--no-telemetry` flag.
    Flag: flag, ThisRun, BeforeFiles, Never;
    /// L4: the machine's policy.
    MachinePolicy: machine_policy, Beyond, WithFiles, Everywhere;
    /// L5: the account's toggle.
    Account: account, Beyond, WithFiles, Everywhere;
    /// L6: the deployment's parameters.
    Deployment: deployment, Beyond, WithFiles, Never;
    /// L6: the project's file.
    Project: project, Beyond, WithFiles, Everywhere;
    /// L7: the user's stored choice.
    User: user, Beyond, WithFiles, ForPeople;
    /// L8: what is required besides consent: a session, a licence key, an endpoint, an API key.
    Preconditions: preconditions, ThisRun, WithFiles, Never;
    /// L9: continuous integration, and builds that are not releases.
    Environment: environment, ThisRun, WithFiles, Never;
    /// L10: withdrawal in this process, and a stop requested by the server.
    Runtime: runtime, Beyond, WithFiles, Never;
    /// How silence is interpreted: the mode, and the notice if the mode requires one.
    Mode: mode, ThisRun, WithFiles, Never;
}

impl Layer {
    /// Returns whether a denial of this layer outlives the run.
    pub fn is_persistent(self) -> bool {
        self.traits().0 == Lasts::Beyond
    }

    /// Returns whether a denial of this layer can be decided without reading a file. If so, no file is even looked
    /// for.
    pub(crate) fn decides_without_files(self) -> bool {
        self.traits().1 == Decides::BeforeFiles
    }

    /// Asks the layer for its finding, and records a grant.
    pub(crate) fn ask(self, inputs: &Inputs, heard: &mut Heard) -> Finding {
        let finding = self.asked(inputs, heard);
        let grants = self.traits().2;
        if finding.is_grant() && grants != Grants::Never {
            heard.add(self.name(), grants);
        }
        finding
    }
}
