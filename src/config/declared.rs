//! Settings about what may leave: the catalogue, strict mode, allowed names, the key of pseudonyms.
//!
//! Never widens what a type allows.

use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::field::PseudonymKey;

impl Config {
    /// Sets the catalogue of the program's events, for [`strict`](Self::strict).
    pub fn catalogue(mut self, catalogue: Catalogue) -> Self {
        self.allowed.declared = Some(catalogue.declarations());
        self.catalogue = Some(catalogue);
        self
    }

    /// Lets only what is declared leave the machine.
    ///
    /// An event that the [`catalogue`](Self::catalogue) does not list is dropped and counted as
    /// [`Undeclared`](crate::LossReason::Undeclared). So is one whose distinct id is not as declared. Of a
    /// dynamic event of a listed name, and of what a hook gives back, properties and groups that are not
    /// declared, or whose value is not as declared, are left out and counted in
    /// [`fields_dropped`](crate::Stats::fields_dropped). The same holds once for super properties and
    /// groups of the client. Without a catalogue, derived events are the only ones that leave.
    pub fn strict(mut self) -> Self {
        self.allowed.is_strict = true;
        self
    }

    /// Limits the property names of events that have no schema, such as dynamic ones. Other properties are
    /// left out and counted. Unlimited unless set.
    pub fn dynamic_properties<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.allowed.dynamic = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the key for fields that are `keyed`. Without it, they are left out and counted.
    pub fn pseudonym_key(mut self, key: PseudonymKey) -> Self {
        self.pseudonyms = Some(key);
        self
    }

    /// Takes out the super properties and groups that strict mode does not allow; returns how many.
    pub(crate) fn take_undeclared(&mut self) -> u32 {
        let before = self.super_properties.len() + self.groups.len();
        let allowed = &self.allowed;
        self.super_properties.retain(|(name, json)| match json {
            Ok(json) => keeps("super_property", name, allowed.admits_common(name, json)),
            // What cannot be sent at all is an error of its own.
            Err(_) => true,
        });
        self.groups.retain(|(kind, _)| keeps("group", kind, allowed.admits_group(kind)));
        let left_out = before - self.super_properties.len() - self.groups.len();
        u32::try_from(left_out).unwrap_or(u32::MAX)
    }
}

fn keeps(setting: &str, name: &str, is_allowed: bool) -> bool {
    if !is_allowed {
        log::warn!(target: "candor", "{setting} {name}: not as the catalogue declares, and left out");
    }
    is_allowed
}
