//! What each layer says, one function a layer.
//! Takes the inputs, and for the last layers what the others said; gives back a report.
//! Never reads the world.

mod files;
mod host;
mod silence;
mod variables;

pub(crate) use files::{deployment, machine_policy, project, user};
pub(crate) use host::{account, build, flag, preconditions, runtime};
pub(crate) use silence::{environment, mode, notice_is_due};
pub(crate) use variables::{app_env, universal};
