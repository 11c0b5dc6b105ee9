//! The 8 typed events of Common Fate. They contain no e-mail address, name, region or free text.

use std::time::Duration;

use candor::{Event, Label, Properties};

/// The server's information about its deployment changed.
///
/// Shows which versions are in use, so fixes can be backported to them.
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
    /// The kind of group.
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
    /// The properties of the deployment.
    #[event(rename = "$group_set")]
    pub set: Deployment<'a>,
}

/// A kind of group.
#[derive(Clone, Copy, Label)]
pub enum GroupType {
    /// A deployment.
    Deployment,
}

/// The properties of a deployment.
#[derive(Properties)]
pub struct Deployment<'a> {
    /// The number of groups.
    pub group_count: u32,
    /// The identity provider for signing in.
    pub idp: IdentityProvider,
    /// The purpose of the deployment.
    pub stage: Stage,
    /// The number of people.
    pub user_count: u32,
    /// The version of Common Fate.
    #[event(pattern = r"v[0-9]+\.[0-9]+\.[0-9]+|dev", max = 24)]
    pub version: &'a str,
}

/// An identity provider for signing in.
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

/// The purpose of a deployment.
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

/// The server's information about a person changed.
///
/// Shows how many roles and groups people have, and how many rules they can choose from.
#[derive(Event)]
#[event(name = "$identify", link = "https://github.com/common-fate/rfds/discussions/8")]
pub struct UserInfo<'a> {
    /// The person.
    #[event(distinct_id, hashed = "usr")]
    pub user: &'a str,
    /// The properties of the person.
    #[event(rename = "$set")]
    pub set: User,
}

/// The properties of a person.
#[derive(Properties)]
pub struct User {
    /// The number of access rules that the person can choose from.
    pub available_rules: u32,
    /// The number of groups that the person is in.
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
/// Shows how many requests there are, and how large they are.
#[derive(Event)]
#[event(name = "cf:request.created", link = "https://github.com/common-fate/rfds/discussions/8")]
pub struct RequestCreated<'a> {
    /// The number of access groups requested.
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
    /// The number of targets that the access covers.
    pub targets_count: u32,
}

/// Somebody decided on a request.
///
/// The time to approval shows whether the workflow is fast, and where reminders would help.
#[derive(Event)]
#[event(name = "cf:request.reviewed", link = "https://github.com/common-fate/rfds/discussions/8")]
pub struct RequestReviewed<'a> {
    /// The access group that was decided on.
    #[event(raw = "a random id of the access group", pattern = "group_[A-Za-z0-9]+", max = 64)]
    pub access_group_id: &'a str,
    /// Whether a reason was given for the request. The reason itself is never sent.
    pub has_reason: bool,
    /// The time that the reviewer set instead of the requested one.
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
    /// The number of targets that the access covers.
    pub targets_count: u32,
    /// The requested time.
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
    /// How long access lasts.
    #[event(rename = "duration_seconds")]
    pub duration: Duration,
    /// When access begins.
    pub mode: TimingMode,
}

/// When access begins.
#[derive(Clone, Copy, Label)]
pub enum TimingMode {
    /// Immediately.
    Asap,
    /// At a requested time.
    Scheduled,
}

/// Access was revoked.
///
/// Shows how often access ends early.
#[derive(Event)]
#[event(name = "cf:request.revoked", link = "https://github.com/common-fate/rfds/discussions/8")]
pub struct RequestRevoked<'a> {
    /// The number of access groups of the request.
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
    /// Who asked.
    #[event(hashed = "usr")]
    pub requested_by: &'a str,
    /// Who revoked it.
    #[event(distinct_id, property, hashed = "usr")]
    pub revoked_by: &'a str,
}

/// An access rule was archived.
///
/// Shows how long rules exist.
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

/// An access rule was created.
///
/// Shows which providers are in use, and how many rules need an approval.
#[derive(Event)]
#[event(name = "cf:rule.created", link = "https://github.com/common-fate/rfds/discussions/8")]
pub struct RuleCreated<'a> {
    /// Who created it.
    #[event(distinct_id, property, hashed = "usr")]
    pub created_by: &'a str,
    /// Whether the rule has a filter. The filter itself is never sent.
    pub has_filter_expression: bool,
    /// The longest access that the rule grants.
    #[event(rename = "max_duration_seconds")]
    pub max_duration: Duration,
    /// Whether a person must approve requests.
    pub requires_approval: bool,
    /// The rule.
    #[event(hashed = "rul")]
    pub rule_id: &'a str,
    /// The providers that it grants access to, with their versions.
    #[event(items = 32, pattern = "[a-z0-9-]+/[a-z0-9-]+@v[0-9]+", max = 80)]
    pub targets: &'a [&'a str],
    /// The number of targets.
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
    /// The longest access that the rule grants.
    #[event(rename = "max_duration_seconds")]
    pub max_duration: Duration,
    /// Whether a person must approve requests.
    pub requires_approval: bool,
    /// The rule.
    #[event(hashed = "rul")]
    pub rule_id: &'a str,
    /// The providers that it grants access to, with their versions.
    #[event(items = 32, pattern = "[a-z0-9-]+/[a-z0-9-]+@v[0-9]+", max = 80)]
    pub targets: &'a [&'a str],
    /// The number of targets.
    pub targets_count: u32,
    /// Who changed it.
    #[event(distinct_id, property, hashed = "usr")]
    pub updated_by: &'a str,
}
