//! What each layer says, one function a layer.
//!
//! Never reads the world.

mod application;
mod files;
mod misspelt;
mod silence;
mod variables;

pub(crate) use application::{account, build, flag, preconditions, runtime};
pub(crate) use files::{deployment, machine_policy, project, user};
pub(crate) use misspelt::Switch;
pub(crate) use silence::{environment, mode, notice_is_due};
pub(crate) use variables::{app_env, universal};
