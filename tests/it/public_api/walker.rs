//! Reads sources and lists what they make public: every item by the path that users write, with its signature.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens;
use syn::{
    Attribute, Fields, Ident, ImplItem, Item, ItemImpl, Signature, TraitItem, Type, UseTree, Visibility,
};

/// How many re-exports are followed from one name.
const MAX_HOPS: usize = 8;

/// The modules of a crate by their paths inside it; the root is the empty path.
pub(super) struct Sources {
    modules: BTreeMap<String, Vec<Item>>,
}

/// What a path leads to.
#[derive(Clone)]
enum Target<'a> {
    Module(String),
    /// An item, and the module that defines it.
    Item(String, &'a Item),
    /// A path out of the crate.
    Elsewhere,
}

impl Sources {
    /// Parses the text of each module.
    pub(super) fn new<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut sources = Self { modules: BTreeMap::new() };
        for (module, text) in texts {
            let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{module}: {error}"));
            sources.add(module, file.items);
        }
        // Nobody sees a file that only tests include.
        let reached = sources.reached("");
        sources.modules.retain(|module, _| reached.contains(module));
        sources
    }

    /// Returns a module and all that it declares.
    fn reached(&self, module: &str) -> BTreeSet<String> {
        let inner = self.modules.get(module).into_iter().flatten().filter_map(|item| match item {
            Item::Mod(inner) => Some(join(module, &inner.ident.to_string())),
            _ => None,
        });
        inner.flat_map(|inner| self.reached(&inner)).chain([module.to_owned()]).collect()
    }

    fn add(&mut self, module: &str, items: Vec<Item>) {
        let items: Vec<Item> =
            items.into_iter().filter(|item| !is_only_for_tests(attributes(item))).collect();
        for item in &items {
            if let Item::Mod(inner) = item
                && let Some((_, inside)) = &inner.content
            {
                self.add(&join(module, &inner.ident.to_string()), inside.clone());
            }
        }
        self.modules.entry(module.to_owned()).or_default().extend(items);
    }

    /// Returns one line for each public item, sorted by path.
    pub(super) fn public_items(&self, name: &str) -> Vec<String> {
        let mut api = Api { sources: self, lines: BTreeSet::new(), public: BTreeMap::new() };
        api.module(name, "", "");
        api.macros(name);
        api.impls();
        api.lines.into_iter().map(|(_, line)| line).collect()
    }

    /// Returns what a name means in a module: there may be one of it in each namespace.
    fn named(&self, module: &str, name: &str, hops: usize) -> Vec<Target<'_>> {
        let mut found = Vec::new();
        for item in self.modules.get(module).into_iter().flatten() {
            match item {
                Item::Mod(inner) if inner.ident == name => found.push(Target::Module(join(module, name))),
                Item::Use(import) => {
                    for (path, alias) in leaves(&import.tree) {
                        if alias == name {
                            found.extend(self.resolve(module, &path, hops + 1));
                        }
                    }
                }
                item if ident(item).is_some_and(|ident| ident == name) => {
                    found.push(Target::Item(module.to_owned(), item));
                }
                _ => {}
            }
        }
        found
    }

    fn resolve(&self, module: &str, path: &[String], hops: usize) -> Vec<Target<'_>> {
        if hops > MAX_HOPS {
            return Vec::new();
        }
        let mut path = path.iter().map(String::as_str).peekable();
        let mut here = module.to_owned();
        let mut is_anchored = false;
        while let Some(step) = path.next_if(|step| matches!(*step, "crate" | "self" | "super")) {
            is_anchored = true;
            match step {
                "crate" => here.clear(),
                "super" => here = here.rsplit_once("::").map_or(String::new(), |(outer, _)| outer.to_owned()),
                _ => {}
            }
        }
        let mut targets = vec![Target::Module(here)];
        let mut so_far = Vec::new();
        for step in path {
            so_far.push(step);
            let modules = targets.into_iter().filter_map(|target| match target {
                Target::Module(module) => Some(module),
                _ => None,
            });
            targets = modules.flat_map(|module| self.named(&module, step, hops)).collect();
            if targets.is_empty() && so_far.len() == 1 && !is_anchored {
                // Not ours: the rest of the path is another crate's.
                return vec![Target::Elsewhere];
            }
        }
        targets
    }
}

/// The list while it grows.
struct Api<'a> {
    sources: &'a Sources,
    /// The lines by the path that sorts them.
    lines: BTreeSet<(String, String)>,
    /// The public path of each item, by the module that defines it and its name.
    public: BTreeMap<(String, String), String>,
}

impl Api<'_> {
    fn line(&mut self, path: &str, line: String) {
        self.lines.insert((path.to_owned(), line));
    }

    fn module(&mut self, path: &str, module: &str, feature: &str) {
        let sources = self.sources;
        for item in sources.modules.get(module).into_iter().flatten() {
            if is_hidden(attributes(item)) || !visibility(item).is_some_and(is_public) {
                continue;
            }
            let feature = feature_of(attributes(item)).unwrap_or(feature.to_owned());
            match item {
                Item::Use(import) => {
                    for (leaf, alias) in leaves(&import.tree) {
                        for target in sources.resolve(module, &leaf, 0) {
                            self.target(&join(path, &alias), target, &leaf.join("::"), &feature);
                        }
                    }
                }
                Item::Mod(inner) => {
                    let name = inner.ident.to_string();
                    self.target(&join(path, &name), Target::Module(join(module, &name)), "", &feature);
                }
                item => {
                    let name = ident(item).map(ToString::to_string).unwrap_or_default();
                    self.item(&join(path, &name), module, item, &feature);
                }
            }
        }
    }

    fn target(&mut self, path: &str, target: Target<'_>, written: &str, feature: &str) {
        match target {
            Target::Module(module) => {
                self.line(path, format!("pub mod {path}{feature}"));
                self.module(path, &module, feature);
            }
            Target::Item(module, item) => {
                let feature = feature_of(attributes(item)).unwrap_or(feature.to_owned());
                self.item(path, &module, item, &feature);
            }
            Target::Elsewhere => self.line(path, format!("pub use {path} = {written}{feature}")),
        }
    }

    fn item(&mut self, path: &str, module: &str, item: &Item, feature: &str) {
        let attributes = attributes(item);
        let growing = if is_growing(attributes) { "#[non_exhaustive] " } else { "" };
        let derives = derives(attributes);
        let name = ident(item).map(ToString::to_string).unwrap_or_default();
        self.public.insert((module.to_owned(), name), path.to_owned());
        match item {
            Item::Struct(item) => {
                let generics = tidy(&item.generics);
                let opaque =
                    if item.fields.iter().all(|field| is_public(&field.vis)) { "" } else { " { .. }" };
                self.line(path, format!("{growing}pub struct {path}{generics}{opaque}{derives}{feature}"));
                self.fields(path, &item.fields);
            }
            Item::Enum(item) => {
                self.line(
                    path,
                    format!("{growing}pub enum {path}{}{derives}{feature}", tidy(&item.generics)),
                );
                for variant in &item.variants {
                    let growing = if is_growing(&variant.attrs) { "#[non_exhaustive] " } else { "" };
                    let mut fields = variant.fields.clone();
                    fields.iter_mut().for_each(|field| field.attrs.clear());
                    let variant = format!("{path}::{}", variant.ident);
                    let space = if matches!(fields, Fields::Named(_)) { " " } else { "" };
                    self.line(&variant, format!("{growing}{variant}{space}{}", tidy(&fields)));
                }
            }
            Item::Trait(item) => {
                let bounds = if item.supertraits.is_empty() {
                    String::new()
                } else {
                    format!(": {}", tidy(&item.supertraits))
                };
                self.line(path, format!("pub trait {path}{}{bounds}{feature}", tidy(&item.generics)));
                for member in item.items.iter().filter(|member| !is_hidden(member_attributes(member))) {
                    self.member(path, member);
                }
            }
            Item::Fn(item) => self.function(path, &item.sig, feature),
            Item::Const(item) => self.line(path, format!("pub const {path}: {}{feature}", tidy(&item.ty))),
            Item::Static(item) => self.line(path, format!("pub static {path}: {}{feature}", tidy(&item.ty))),
            Item::Type(item) => {
                self.line(
                    path,
                    format!("pub type {path}{} = {}{feature}", tidy(&item.generics), tidy(&item.ty)),
                );
            }
            item => panic!("{path}: an item that this list does not know: {}", tidy(item)),
        }
    }

    fn fields(&mut self, path: &str, fields: &Fields) {
        for (index, field) in fields.iter().enumerate().filter(|(_, field)| is_public(&field.vis)) {
            let name = field.ident.as_ref().map_or_else(|| index.to_string(), ToString::to_string);
            let path = format!("{path}::{name}");
            self.line(&path, format!("pub {path}: {}", tidy(&field.ty)));
        }
    }

    fn member(&mut self, path: &str, member: &TraitItem) {
        match member {
            TraitItem::Fn(function) => {
                let given = if function.default.is_some() { " { .. }" } else { "" };
                self.function(&format!("{path}::{}", function.sig.ident), &function.sig, given);
            }
            TraitItem::Const(item) => {
                let path = format!("{path}::{}", item.ident);
                self.line(&path, format!("const {path}: {}", tidy(&item.ty)));
            }
            TraitItem::Type(item) => {
                let path = format!("{path}::{}", item.ident);
                self.line(&path, format!("type {path}"));
            }
            _ => {}
        }
    }

    fn function(&mut self, path: &str, signature: &Signature, end: &str) {
        let text = tidy(signature);
        let name = signature.ident.to_string();
        // The words before `fn`, then the path in place of the name.
        let (before, after) = text.split_once(&format!("fn {name}")).unwrap_or(("", &text));
        self.line(path, format!("pub {before}fn {path}{after}{end}"));
    }

    fn macros(&mut self, name: &str) {
        for item in self.sources.modules.values().flatten() {
            let Item::Macro(item) = item else { continue };
            let is_exported = item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"));
            if let Some(ident) = item.ident.as_ref().filter(|_| is_exported && !is_hidden(&item.attrs)) {
                let path = format!("{name}::{ident}!");
                self.line(&path, format!("macro {path}"));
            }
        }
    }

    fn impls(&mut self) {
        let sources = self.sources;
        for (module, items) in &sources.modules {
            for item in items {
                if let Item::Impl(item) = item
                    && !is_hidden(&item.attrs)
                {
                    self.implementation(module, item);
                }
            }
        }
    }

    fn implementation(&mut self, module: &str, item: &ItemImpl) {
        let owner = self.public_path(module, &item.self_ty);
        if owner.is_none() && self.is_ours(module, &item.self_ty) {
            // A type that nobody outside can name.
            return;
        }
        let feature = feature_of(&item.attrs).unwrap_or_default();
        let generics = tidy(&item.generics);
        if let Some((of, _)) = &item.trait_ {
            let targets = self.sources.resolve(module, &segments(of), 0);
            let ours = targets.iter().find_map(|target| match target {
                Target::Item(home, item) => Some((home.clone(), ident(item)?.to_string())),
                _ => None,
            });
            let is_seen = ours.as_ref().is_none_or(|key| self.public.contains_key(key));
            let key = owner.clone().or_else(|| self.public.get(ours.as_ref()?).cloned());
            if let Some(path) = key.filter(|_| is_seen) {
                let line = format!("impl{generics} {} for {}{feature}", tidy(of), tidy(&item.self_ty));
                self.line(&format!("{path}!impl"), line);
            }
            return;
        }
        let Some(owner) = owner else { return };
        for member in &item.items {
            match member {
                ImplItem::Fn(function) if is_public(&function.vis) && !is_hidden(&function.attrs) => {
                    let feature = feature_of(&function.attrs).unwrap_or(feature.clone());
                    self.function(&format!("{owner}::{}", function.sig.ident), &function.sig, &feature);
                }
                ImplItem::Const(item) if is_public(&item.vis) && !is_hidden(&item.attrs) => {
                    let path = format!("{owner}::{}", item.ident);
                    self.line(&path, format!("pub const {path}: {}{feature}", tidy(&item.ty)));
                }
                _ => {}
            }
        }
    }

    /// Returns whether the crate defines a type.
    fn is_ours(&self, module: &str, ty: &Type) -> bool {
        let Type::Path(ty) = ty else { return false };
        let targets = self.sources.resolve(module, &segments(&ty.path), 0);
        targets.iter().any(|target| matches!(target, Target::Item(..)))
    }

    /// Returns the public path of a type that the crate defines.
    fn public_path(&self, module: &str, ty: &Type) -> Option<String> {
        let Type::Path(ty) = ty else { return None };
        self.sources.resolve(module, &segments(&ty.path), 0).into_iter().find_map(|target| match target {
            Target::Item(home, item) => self.public.get(&(home, ident(item)?.to_string())).cloned(),
            _ => None,
        })
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}::{name}") }
}

fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// Returns each path of an import, with the name that it gives.
fn leaves(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        UseTree::Path(path) => leaves(&path.tree)
            .into_iter()
            .map(|(mut rest, alias)| {
                rest.insert(0, path.ident.to_string());
                let alias = if alias == "self" { path.ident.to_string() } else { alias };
                rest.retain(|step| step != "self" || path.ident == "self");
                (rest, alias)
            })
            .collect(),
        UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        UseTree::Rename(rename) => vec![(vec![rename.ident.to_string()], rename.rename.to_string())],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
        UseTree::Glob(_) => Vec::new(),
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn member_attributes(member: &TraitItem) -> &[Attribute] {
    match member {
        TraitItem::Fn(item) => &item.attrs,
        TraitItem::Const(item) => &item.attrs,
        TraitItem::Type(item) => &item.attrs,
        _ => &[],
    }
}

fn visibility(item: &Item) -> Option<&Visibility> {
    match item {
        Item::Const(item) => Some(&item.vis),
        Item::Enum(item) => Some(&item.vis),
        Item::Fn(item) => Some(&item.vis),
        Item::Mod(item) => Some(&item.vis),
        Item::Static(item) => Some(&item.vis),
        Item::Struct(item) => Some(&item.vis),
        Item::Trait(item) => Some(&item.vis),
        Item::Type(item) => Some(&item.vis),
        Item::Use(item) => Some(&item.vis),
        _ => None,
    }
}

fn ident(item: &Item) -> Option<&Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        _ => None,
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("doc") && tidy(&attribute.meta).contains("(hidden)"))
}

fn is_growing(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("non_exhaustive"))
}

fn is_only_for_tests(attributes: &[Attribute]) -> bool {
    conditions(attributes)
        .any(|condition| condition == "test" || condition == "doctest" || condition.starts_with("all(test"))
}

/// Returns the conditions of `#[cfg(..)]`.
fn conditions(attributes: &[Attribute]) -> impl Iterator<Item = String> {
    let all = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    all.filter_map(|attribute| attribute.meta.require_list().ok().map(|list| tidy(&list.tokens)))
}

/// Returns what an item needs, as the end of its line.
fn feature_of(attributes: &[Attribute]) -> Option<String> {
    let conditions: Vec<String> = conditions(attributes).collect();
    (!conditions.is_empty()).then(|| format!(" [{}]", conditions.join(", ")))
}

fn derives(attributes: &[Attribute]) -> String {
    let all = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    let names: Vec<String> = all
        .filter_map(|attribute| attribute.meta.require_list().ok().map(|list| tidy(&list.tokens)))
        .collect();
    if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) }
}

/// Writes tokens as a person would.
fn tidy(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string().replace('\n', " ");
    for (from, to) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" ,", ","),
        (" :", ":"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        ("& ", "&"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" [", "["),
        ("[ ", "["),
        (" ]", "]"),
        (" ;", ";"),
        (" . . ", ".."),
        ("' ", "'"),
        ("->(", "-> ("),
        ("->[", "-> ["),
        (",(", ", ("),
        (",[", ", ["),
        (":(", ": ("),
        (":[", ": ["),
        (", )", ")"),
        (",)", ")"),
        (", >", ">"),
        (",>", ">"),
        (",::", ", ::"),
        ("? ", "?"),
        ("=(", "= ("),
        ("(mut ", "("),
        (", mut ", ", "),
        ("'static(", "'static ("),
        ("'static[", "'static ["),
    ] {
        text = text.replace(from, to);
    }
    text
}
