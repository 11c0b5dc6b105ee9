//! The eight events of Common Fate, typed.
//!
//! Never holds an e-mail address, a name, a region or a reason in somebody's words.

use std::time::Duration;

use candor::{Event, Label, Properties};

/// What the server knows about its deployment changed.
///
/// Tells which versions are in use, so that fixes are brought back to them.
#[derive(Event)]
#[event(name = "$groupidentify", no_groups, link = "https://github.com/common-fate/rfds/discussions/8")]
pub struct DeploymentInfo<'a> {
    /// The deployment, as PostHog names a group.
    #[event(
        distinct_id,
        raw = "a random id of the deployment, which PostHog needs to tell groups apart",
        pattern = r"\$deployment_dep_[A-Za-z0-9]+",
        max = 64
    )]
    pub group: &'a str,
    /// What kind of group it is.
    #[event(rename = "$group_type")]
    pub kind: GroupType,
    /// The deployment.
    #[event(
        rename = "$group_key",
        raw = "a random id of the deployment, which PostHog needs to tell groups apart",
        pattern = "dep_[A-Za-z0-9]+",
        max = 52
    )]
    pub key: &'a str,
    /// What is known about it.
    #[event(rename = "$group_set")]
    pub set: Deployment<'a>,
}

/// A kind of group.
#[derive(Clone, Copy, Label)]
pub enum GroupType {
    /// A deployment.
    Deployment,
}

/// What is known about a deployment.
#[derive(Properties)]
pub struct Deployment<'a> {
    /// How many groups it has.
    pub group_count: u32,
    /// What its people sign in with.
    pub idp: IdentityProvider,
    /// What the deployment is for.
    pub stage: Stage,
    /// How many people it has.
    pub user_count: u32,
    /// The version of Common Fate.
    #[event(pattern = r"v[0-9]+\.[0-9]+\.[0-9]+|dev", max = 24)]
    pub version: &'a str,
}

/// What people sign in with.
#[derive(Clone, Copy, Label)]
#[label(rename_all = "kebab-case")]
pub enum IdentityProvider {
    /// Amazon Cognito.
    Cognito,
    /// Okta.
    Okta,
    /// Azure AD.
    Azure,
    /// Google Workspace.
    Google,
    /// Any other.
    #[label(other)]
    Other,
}

/// What a deployment is for.
#[derive(Clone, Copy, Label)]
pub enum Stage {
    /// Tests.
    Test,
    /// Development.
    Dev,
    /// Production.
    Prod,
    /// Anything else.
    #[label(other)]
    Other,
}

/// What the server knows about a person changed.
///
/// Tells how many roles and groups people have, and how many rules they can choose from.
#[derive(Event)]
#[event(name = "$identify", link = "https://github.com/common-fate/rfds/discussions/8")]
pub struct UserInfo<'a> {
    /// The person.
    #[event(distinct_id, hashed = "usr")]
    pub user: &'a str,
    /// What is known about the person.
    #[event(rename = "$set")]
    pub set: User,
}

/// What is known about a person.
#[derive(Properties)]
pub struct User {
    /// How many access rules the person can choose from.
    pub available_rules: u32,
    /// How many groups the person is in.
    pub group_count: u32,
    /// What the person may do.
    pub role: Role,
}

/// What a person may do.
#[derive(Clone, Copy, Label)]
pub enum Role {
    /// Everything.
    Admin,
    /// Ask for access.
    EndUser,
}

/// Somebody asked for access.
///
/// Tells how many requests there are, and how large they are.
#[derive(Event)]
#[event(name = "cf:request.created", link = "https://github.com/common-fate/rfds/discussions/8")]
pub struct RequestCreated<'a> {
    /// How many groups of access were asked for.
    pub access_groups_count: u32,
    /// Whether a reason was given. The reason itself is never sent.
    pub has_reason: bool,
    /// The request.
    #[event(
        raw = "a random id of the request, which joins its events",
        pattern = "req_[A-Za-z0-9]+",
        max = 64
    )]
    pub request_id: &'a str,
    /// Who asked.
    #[event(distinct_id, property, hashed = "usr")]
    pub requested_by: &'a str,
    /// How many targets the access covers.
    pub targets_count: u32,
}

/// Somebody decided about a request.
///
/// The time to approval shows whether the workflow is fast, and where reminders would help.
#[derive(Event)]
#[event(name = "cf:request.reviewed", link = "https://github.com/common-fate/rfds/discussions/8")]
pub struct RequestReviewed<'a> {
    /// The group of access that was decided about.
    #[event(raw = "a random id of the group of access", pattern = "group_[A-Za-z0-9]+", max = 64)]
    pub access_group_id: &'a str,
    /// Whether a reason was given for the request. The reason itself is never sent.
    pub has_reason: bool,
    /// The time that the reviewer set in place of the one asked for.
    pub override_timing: Option<Timing>,
    /// How long the request had waited.
    #[event(rename = "pending_duration_seconds")]
    pub pending: Duration,
    /// The request.
    #[event(
        raw = "a random id of the request, which joins its events",
        pattern = "req_[A-Za-z0-9]+",
        max = 64
    )]
    pub request_id: &'a str,
    /// Who asked.
    #[event(hashed = "usr")]
    pub requested_by: &'a str,
    /// What was decided.
    pub review: Review,
    /// Who decided.
    #[event(distinct_id, property, hashed = "usr")]
    pub reviewed_by: &'a str,
    /// Whether the reviewer is an administrator.
    pub reviewer_is_admin: bool,
    /// How many targets the access covers.
    pub targets_count: u32,
    /// The time that was asked for.
    pub timing: Timing,
}

/// What was decided.
#[derive(Clone, Copy, Label)]
#[label(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Review {
    /// Yes.
    Approve,
    /// No.
    Decline,
}

/// When access begins, and how long it lasts.
#[derive(Properties)]
pub struct Timing {
    /// How long it lasts.
    #[event(rename = "duration_seconds")]
    pub duration: Duration,
    /// When it begins.
    pub mode: TimingMode,
}

/// When access begins.
#[derive(Clone, Copy, Label)]
pub enum TimingMode {
    /// At once.
    Asap,
    /// At a time that was asked for.
    Scheduled,
}

/// Access was taken back.
///
/// Tells how often access ends before its time.
#[derive(Event)]
#[event(name = "cf:request.revoked", link = "https://github.com/common-fate/rfds/discussions/8")]
pub struct RequestRevoked<'a> {
    /// How many groups of access the request had.
    pub access_group_count: u32,
    /// Whether a reason was given for the request. The reason itself is never sent.
    pub has_reason: bool,
    /// The request.
    #[event(
        raw = "a random id of the request, which joins its events",
        pattern = "req_[A-Za-z0-9]+",
        max = 64
    )]
    pub request_id: &'a str,
    /// Who had asked.
    #[event(hashed = "usr")]
    pub requested_by: &'a str,
    /// Who took it back.
    #[event(distinct_id, property, hashed = "usr")]
    pub revoked_by: &'a str,
}

/// An access rule was archived.
///
/// Tells how long rules live.
#[derive(Event)]
#[event(name = "cf:rule.archived", link = "https://github.com/common-fate/rfds/discussions/8")]
pub struct RuleArchived<'a> {
    /// Who archived it.
    #[event(distinct_id, property, hashed = "usr")]
    pub archived_by: &'a str,
    /// The rule.
    #[event(hashed = "rul")]
    pub rule_id: &'a str,
}

/// An access rule was made.
///
/// Shows which providers are in use, and how many rules need an approval.
#[derive(Event)]
#[event(name = "cf:rule.created", link = "https://github.com/common-fate/rfds/discussions/8")]
pub struct RuleCreated<'a> {
    /// Who made it.
    #[event(distinct_id, property, hashed = "usr")]
    pub created_by: &'a str,
    /// Whether the rule has a filter. The filter itself is never sent.
    pub has_filter_expression: bool,
    /// The longest access that the rule gives.
    #[event(rename = "max_duration_seconds")]
    pub max_duration: Duration,
    /// Whether somebody has to approve.
    pub requires_approval: bool,
    /// The rule.
    #[event(hashed = "rul")]
    pub rule_id: &'a str,
    /// The providers that it gives access to, with their versions.
    #[event(items = 32, pattern = "[a-z0-9-]+/[a-z0-9-]+@v[0-9]+", max = 80)]
    pub targets: &'a [&'a str],
    /// How many targets it has.
    pub targets_count: u32,
}

/// An access rule was changed.
///
/// Shows which providers are in use, and how many rules need an approval.
#[derive(Event)]
#[event(name = "cf:rule.updated", link = "https://github.com/common-fate/rfds/discussions/8")]
pub struct RuleUpdated<'a> {
    /// Whether the rule has a filter. The filter itself is never sent.
    pub has_filter_expression: bool,
    /// The longest access that the rule gives.
    #[event(rename = "max_duration_seconds")]
    pub max_duration: Duration,
    /// Whether somebody has to approve.
    pub requires_approval: bool,
    /// The rule.
    #[event(hashed = "rul")]
    pub rule_id: &'a str,
    /// The providers that it gives access to, with their versions.
    #[event(items = 32, pattern = "[a-z0-9-]+/[a-z0-9-]+@v[0-9]+", max = 80)]
    pub targets: &'a [&'a str],
    /// How many targets it has.
    pub targets_count: u32,
    /// Who changed it.
    #[event(distinct_id, property, hashed = "usr")]
    pub updated_by: &'a str,
}
