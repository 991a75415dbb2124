//! Reads a struct and its `#[tf(..)]` keys, and refuses what makes no sense.

use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprLit, Field, Fields, Ident, Lit, Meta, Path, Result, Type,
    Visibility,
};

/// A struct to derive for.
pub(crate) struct Object {
    pub(crate) name: Ident,
    pub(crate) vis: Visibility,
    pub(crate) doc: String,
    pub(crate) deprecated: Option<String>,
    pub(crate) fields: Vec<Attr>,
}

/// One field.
pub(crate) struct Attr {
    pub(crate) field: Ident,
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) doc: String,
    pub(crate) deprecated: Option<String>,
    pub(crate) flags: Vec<Ident>,
    pub(crate) default: Option<Expr>,
    pub(crate) check: Option<Path>,
    pub(crate) equal: Option<Path>,
}

const FLAGS: [&str; 7] = [
    "required",
    "optional",
    "computed",
    "replace",
    "use_state_for_unknown",
    "sensitive",
    "write_only",
];

pub(crate) fn parse(input: &DeriveInput) -> Result<Object> {
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        _ => return Err(Error::new(input.span(), "Attrs can be derived for structs only")),
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new(
            input.generics.span(),
            "Attrs cannot be derived for generic structs",
        ));
    }
    let named = match fields {
        Fields::Named(named) => named.named.iter().collect(),
        Fields::Unit => Vec::new(),
        Fields::Unnamed(_) => return Err(Error::new(fields.span(), "Attrs needs named fields")),
    };
    let doc = doc(&input.attrs);
    if doc.trim().is_empty() {
        return Err(Error::new(
            input.ident.span(),
            "a doc comment is missing: it is what the registry shows",
        ));
    }
    Ok(Object {
        name: input.ident.clone(),
        vis: input.vis.clone(),
        doc,
        deprecated: deprecated(&input.attrs),
        fields: named.into_iter().map(attr).collect::<Result<_>>()?,
    })
}

fn attr(field: &Field) -> Result<Attr> {
    let Some(ident) = field.ident.clone() else {
        return Err(Error::new(field.span(), "Attrs needs named fields"));
    };
    let raw = ident.to_string();
    let mut attr = Attr {
        name: raw.strip_prefix("r#").unwrap_or(&raw).to_owned(),
        ty: field.ty.clone(),
        doc: doc(&field.attrs),
        deprecated: deprecated(&field.attrs),
        flags: Vec::new(),
        default: None,
        check: None,
        equal: None,
        field: ident,
    };
    if attr.doc.trim().is_empty() {
        return Err(Error::new(
            attr.field.span(),
            "a doc comment is missing: it is what the registry shows",
        ));
    }
    for attribute in field.attrs.iter().filter(|one| one.path().is_ident("tf")) {
        attribute.parse_nested_meta(|meta| key(&mut attr, &meta))?;
    }
    consistent(&attr)?;
    Ok(attr)
}

fn key(attr: &mut Attr, meta: &syn::meta::ParseNestedMeta<'_>) -> Result<()> {
    let Some(ident) = meta.path.get_ident() else {
        return Err(meta.error("not a key of tf(..)"));
    };
    let name = ident.to_string();
    let twice = match name.as_str() {
        "default" => attr.default.replace(meta.value()?.parse()?).is_some(),
        "check" => attr.check.replace(meta.value()?.parse()?).is_some(),
        "equal" => attr.equal.replace(meta.value()?.parse()?).is_some(),
        flag if FLAGS.contains(&flag) => {
            let twice = attr.flags.contains(ident);
            attr.flags.push(ident.clone());
            twice
        }
        _ => {
            return Err(meta.error(
                "not a key of tf(..): required, optional, computed, replace, use_state_for_unknown, default, check, equal, sensitive, write_only",
            ));
        }
    };
    if twice {
        Err(meta.error(format!("`{name}` is given twice")))
    } else {
        Ok(())
    }
}

fn consistent(attr: &Attr) -> Result<()> {
    let has = |name: &str| attr.flags.iter().any(|flag| flag == name);
    let fail = |text: &str| Err(Error::new(attr.field.span(), text));
    let set_by_user = has("required") || has("optional") || attr.default.is_some();
    if !set_by_user && !has("computed") {
        return fail("say who sets the attribute: `required`, `optional`, `computed` or a `default`");
    }
    if has("required") && (has("optional") || has("computed") || attr.default.is_some()) {
        return fail(
            "a `required` attribute is always set by the configuration: no `optional`, `computed` or `default`",
        );
    }
    if has("use_state_for_unknown") && !has("computed") {
        return fail("`use_state_for_unknown` is about what the provider computes: it needs `computed`");
    }
    if has("use_state_for_unknown") && attr.default.is_some() {
        return fail("an attribute with a `default` is never unknown: `use_state_for_unknown` says nothing");
    }
    if has("write_only") && (has("computed") || attr.default.is_some()) {
        return fail("a `write_only` attribute is never stored: no `computed` or `default`");
    }
    Ok(())
}

/// The doc comment's lines.
fn doc(attrs: &[Attribute]) -> String {
    let line = |one: &Attribute| match &one.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    };
    attrs.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// The note of Rust's own `#[deprecated]`.
fn deprecated(attrs: &[Attribute]) -> Option<String> {
    let attribute = attrs.iter().find(|one| one.path().is_ident("deprecated"))?;
    let mut note = String::new();
    if let Meta::List(_) = attribute.meta {
        // Other keys, such as `since`, say nothing to a user of the provider.
        let _ = attribute.parse_nested_meta(|meta| {
            let value: syn::LitStr = meta.value()?.parse()?;
            if meta.path.is_ident("note") {
                note = value.value();
            }
            Ok(())
        });
    }
    Some(if note.is_empty() {
        "Deprecated.".to_owned()
    } else {
        note
    })
}
