//! One file as `syn` reads it: the modules it declares, what it defines and imports, and every path it names. What only
//! tests compile is left out.

mod attributes;
mod tokens;

use std::collections::BTreeSet;

use anyhow::Result;
use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{AttrStyle, Attribute, Expr, ImplItem, Item, Lit, Meta, TraitItem, UseTree, Visibility};

use super::conditions::test_only;

/// What a file says about modules.
#[derive(Default)]
pub(super) struct Syntax {
    /// The text of its `//!` lines.
    pub(super) page: String,
    /// Its `mod name;` lines.
    pub(super) modules: Vec<Declared>,
    /// Names of the items it defines itself.
    pub(super) items: BTreeSet<String>,
    pub(super) imports: Vec<Import>,
    /// Paths in code, attributes and macros.
    pub(super) paths: Vec<Named>,
    /// All of it is for tests.
    pub(super) test_only: bool,
    inline: Vec<String>,
}

/// A `mod name;`, perhaps with `#[path = ".."]`.
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) path: Option<String>,
    /// The modules with a body that it is declared in.
    pub(super) inline: Vec<String>,
}

/// A path as written.
#[derive(Clone)]
pub(super) struct Named {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
    /// The modules with a body that it is written in.
    pub(super) inline: Vec<String>,
}

/// One name, or all names of a module, that a `use` brings in.
pub(super) struct Import {
    pub(super) what: Named,
    /// The name here; none for `*`.
    pub(super) name: Option<String>,
    /// Visible outside this module: passed on rather than used.
    pub(super) passed_on: bool,
}

/// Reads a file.
pub(super) fn read(text: &str) -> Result<Syntax> {
    let file = syn::parse_file(text)?;
    let mut syntax = Syntax {
        page: page(&file.attrs),
        test_only: test_only(&file.attrs),
        ..Syntax::default()
    };
    syntax.visit_file(&file);
    Ok(syntax)
}

fn page(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| {
        let inner = matches!(attribute.style, AttrStyle::Inner(_));
        match &attribute.meta {
            Meta::NameValue(pair) if inner && pair.path.is_ident("doc") => string(&pair.value),
            _ => None,
        }
    });
    lines.map(|line| line + "\n").collect()
}

fn string(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

impl Syntax {
    fn name(&mut self, segments: Vec<String>, line: usize) {
        let inline = self.inline.clone();
        self.paths.push(Named {
            segments,
            line,
            inline,
        });
    }

    fn names(&mut self, paths: Vec<(Vec<String>, usize)>) {
        for (segments, line) in paths {
            self.name(segments, line);
        }
    }

    fn module(&mut self, module: &syn::ItemMod) {
        let name = module.ident.to_string();
        let Some((_, items)) = &module.content else {
            let path = module.attrs.iter().find_map(|attribute| match &attribute.meta {
                Meta::NameValue(pair) if pair.path.is_ident("path") => string(&pair.value),
                _ => None,
            });
            let inline = self.inline.clone();
            self.modules.push(Declared { name, path, inline });
            return;
        };
        self.items.insert(name.clone());
        self.inline.push(name);
        for item in items {
            self.visit_item(item);
        }
        self.inline.pop();
    }

    fn import(&mut self, tree: &UseTree, before: &[String], passed_on: bool) {
        let mut add = |last: Option<&Ident>, name: Option<String>, line: usize| {
            let mut segments = before.to_vec();
            segments.extend(last.map(ToString::to_string).filter(|last| last != "self"));
            let name = name.map(|name| match segments.last() {
                Some(folder) if name == "self" => folder.clone(),
                _ => name,
            });
            let inline = self.inline.clone();
            let what = Named {
                segments,
                line,
                inline,
            };
            self.imports.push(Import {
                what,
                name,
                passed_on,
            });
        };
        match tree {
            UseTree::Path(path) => {
                let through = [before, &[path.ident.to_string()]].concat();
                self.import(&path.tree, &through, passed_on);
            }
            UseTree::Name(name) => add(Some(&name.ident), Some(name.ident.to_string()), line(&name.ident)),
            UseTree::Rename(name) => add(
                Some(&name.ident),
                Some(name.rename.to_string()),
                line(&name.ident),
            ),
            UseTree::Glob(star) => add(None, None, star.star_token.span.start().line),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before, passed_on);
                }
            }
        }
    }
}

fn line(ident: &Ident) -> usize {
    ident.span().start().line
}

fn segments(path: &syn::Path) -> Vec<String> {
    let names = path.segments.iter();
    names.map(|segment| segment.ident.to_string()).collect()
}

impl<'ast> Visit<'ast> for Syntax {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = attributes::of_item(item);
        if test_only(attributes) {
            return;
        }
        if self.inline.is_empty() {
            self.items.extend(name.map(ToString::to_string));
        }
        match item {
            Item::Mod(module) => self.module(module),
            Item::Use(import) => {
                let passed_on = !matches!(import.vis, Visibility::Inherited);
                if import.leading_colon.is_none() {
                    self.import(&import.tree, &[], passed_on);
                }
            }
            other => visit::visit_item(self, other),
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !test_only(attributes::of_impl_item(item)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        if !test_only(attributes::of_trait_item(item)) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !test_only(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !test_only(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if !test_only(&arm.attrs) {
            visit::visit_arm(self, arm);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let (None, Some(first)) = (path.leading_colon, path.segments.first()) {
            self.name(segments(path), line(&first.ident));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &'ast syn::Macro) {
        self.visit_path(&invoked.path);
        self.names(tokens::paths(invoked.tokens.clone()));
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(list) => {
                self.names(tokens::paths(list.tokens.clone()));
                self.names(tokens::paths_in_strings(list.tokens.clone()));
            }
            Meta::NameValue(pair) => self.visit_expr(&pair.value),
            Meta::Path(_) => {}
        }
    }

    /// `pub(in path)` uses nothing.
    fn visit_visibility(&mut self, _visibility: &'ast Visibility) {}
}
