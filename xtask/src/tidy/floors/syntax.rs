//! One file as `syn` reads it: the modules it declares, what it defines and imports, and every path it names. What only
//! tests compile is left out.

use std::collections::BTreeSet;

use anyhow::Result;
use proc_macro2::{Ident, TokenStream, TokenTree};
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

    /// Paths among tokens that have no syntax of their own: `a::b`, and single names.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is = |at: usize, mark: char| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == mark);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let start = at;
            at += 1;
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) => {
                    let mut segments = vec![first.to_string()];
                    while let (true, true, Some(TokenTree::Ident(next))) =
                        (is(at, ':'), is(at + 1, ':'), tokens.get(at + 2))
                    {
                        segments.push(next.to_string());
                        at += 3;
                    }
                    // `value.field` and `::krate` name nothing of this crate.
                    let member = start > 0 && is(start - 1, '.') && segments.len() == 1;
                    let foreign = start > 1 && is(start - 1, ':') && is(start - 2, ':');
                    if !member && !foreign {
                        self.name(segments, line(first));
                    }
                }
                _ => {}
            }
        }
    }

    /// Paths in the strings of an attribute, as in `#[serde(with = "crate::date")]`.
    fn strings(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.strings(group.stream()),
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    if let Ok(path) = syn::parse_str::<syn::Path>(text.trim_matches('"'))
                        && path.segments.len() > 1
                    {
                        self.name(segments(&path), literal.span().start().line);
                    }
                }
                _ => {}
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
        let (attributes, name) = parts(item);
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
        let attributes: &[Attribute] = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            _ => &[],
        };
        if !test_only(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        let attributes: &[Attribute] = match item {
            TraitItem::Const(item) => &item.attrs,
            TraitItem::Fn(item) => &item.attrs,
            TraitItem::Type(item) => &item.attrs,
            TraitItem::Macro(item) => &item.attrs,
            _ => &[],
        };
        if !test_only(attributes) {
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
        self.tokens(invoked.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(list) => {
                self.tokens(list.tokens.clone());
                self.strings(list.tokens.clone());
            }
            Meta::NameValue(pair) => self.visit_expr(&pair.value),
            Meta::Path(_) => {}
        }
    }

    /// `pub(in path)` uses nothing.
    fn visit_visibility(&mut self, _visibility: &'ast Visibility) {}
}

/// The attributes of an item, and the name it defines.
fn parts(item: &Item) -> (&[Attribute], Option<&Ident>) {
    match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::ExternCrate(item) => (&item.attrs, Some(&item.ident)),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::TraitAlias(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Union(item) => (&item.attrs, Some(&item.ident)),
        Item::ForeignMod(item) => (&item.attrs, None),
        Item::Impl(item) => (&item.attrs, None),
        Item::Mod(item) => (&item.attrs, None),
        Item::Use(item) => (&item.attrs, None),
        _ => (&[], None),
    }
}
