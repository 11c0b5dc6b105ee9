//! Settings for what may be sent: the catalogue, strict mode, allowed names, the key of pseudonyms.

use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::field::PseudonymKey;
use crate::observe::LossReason;

impl Config {
    /// Sets the catalogue of the program's events, for [`strict`](Self::strict) and for the command-line kit. There is
    /// none by default.
    pub fn catalogue(mut self, catalogue: Catalogue) -> Self {
        self.allowed.declared = Some(catalogue.declarations());
        self.catalogue = Some(catalogue);
        self
    }

    /// Lets only declared events and properties leave the machine. The default is false.
    ///
    /// An event that the [`catalogue`](Self::catalogue) does not list, or whose distinct id is not as declared, is
    /// dropped and counted as [`Undeclared`](crate::LossReason::Undeclared). From dynamic events, and from what a hook
    /// returns, undeclared properties and groups are removed, as are those whose values are not as declared; they are
    /// counted in [`fields_dropped`](crate::Stats::fields_dropped). The same applies once to super properties and to
    /// the client's groups. Without a catalogue, only derived events are sent.
    pub fn strict(mut self) -> Self {
        self.allowed.is_strict = true;
        self
    }

    /// Limits the property names of events without a schema, such as dynamic ones. Other properties are removed and
    /// counted. By default, all names are allowed.
    pub fn dynamic_properties<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.allowed.dynamic = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the key for `keyed` fields. Without a key, which is the default, these fields are left out and counted.
    pub fn pseudonym_key(mut self, key: PseudonymKey) -> Self {
        self.pseudonyms = Some(key);
        self
    }

    /// Returns the super properties that strict mode allows. A value that cannot be encoded is among them, for the
    /// check to report.
    pub(super) fn declared_super_properties(
        &self,
    ) -> impl Iterator<Item = &(String, std::result::Result<Vec<u8>, LossReason>)> {
        let is_declared = |name: &str, json: &[u8]| self.allowed.admits_common(name, json);
        let properties = self.super_properties.iter();
        properties.filter(move |(name, json)| json.as_ref().map_or(true, |json| is_declared(name, json)))
    }

    /// Removes the super properties and groups that strict mode does not allow; returns their number.
    pub(crate) fn take_undeclared(&mut self) -> u32 {
        let before = self.super_properties.len() + self.groups.len();
        let allowed = &self.allowed;
        self.super_properties.retain(|(name, json)| match json {
            Ok(json) => keeps("super_property", name, allowed.admits_common(name, json)),
            // A value that cannot be encoded is reported by `common`.
            Err(_) => true,
        });
        self.groups.retain(|(kind, _)| keeps("group", kind, allowed.admits_group(kind)));
        let left_out = before - self.super_properties.len() - self.groups.len();
        u32::try_from(left_out).unwrap_or(u32::MAX)
    }
}

fn keeps(setting: &str, name: &str, is_allowed: bool) -> bool {
    if !is_allowed {
        log::warn!(target: "candor", "{setting} {name}: left out, since it is not as declared in the catalogue; declare or remove it");
    }
    is_allowed
}
