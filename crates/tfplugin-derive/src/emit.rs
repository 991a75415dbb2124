//! Writes the impl: one builder call chain an attribute, one line each to read and write it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, Lit};

use crate::parse::{Attr, Object};

pub(crate) fn emit(object: &Object) -> TokenStream {
    let (name, doc) = (&object.name, &object.doc);
    let deprecated = object
        .deprecated
        .as_ref()
        .map(|note| quote!(object.deprecated(#note);));
    let describe = object.fields.iter().map(describe);
    let read = object
        .fields
        .iter()
        .map(|Attr { field, name, .. }| quote!(#field: attrs.attr(#name)?,));
    let write = object
        .fields
        .iter()
        .map(|Attr { field, name, .. }| quote!(attrs.attr(#name, &self.#field);));
    quote! {
        #[automatically_derived]
        #[allow(deprecated, unused_variables)]
        impl ::tfplugin::Attrs for #name {
            fn describe(object: &mut ::tfplugin::schema::ObjectBuilder) {
                object.doc(#doc);
                #deprecated
                #(#describe)*
            }

            fn from_attrs(
                attrs: &::tfplugin::AttrReader<'_>,
            ) -> ::core::result::Result<Self, ::tfplugin::cty::ValueError> {
                ::core::result::Result::Ok(Self { #(#read)* })
            }

            fn to_attrs(&self, attrs: &mut ::tfplugin::AttrWriter) {
                #(#write)*
            }
        }
    }
}

fn describe(attr: &Attr) -> TokenStream {
    let Attr {
        name, ty, doc, flags, ..
    } = attr;
    // An optional attribute with a default is never null in the plan, so its type need not hold null.
    let flags = flags
        .iter()
        .filter(|flag| attr.default.is_none() || *flag != "optional");
    let deprecated = attr.deprecated.as_ref().map(|note| quote!(.deprecated(#note)));
    let default = attr.default.as_ref().map(|value| {
        let value = owned(value);
        quote!(.default(|| #value))
    });
    let check = attr
        .check
        .as_ref()
        .map(|path| quote!(.check(|value| #path(value))));
    let equal = attr.equal.as_ref().map(|path| quote!(.equal(|a, b| #path(a, b))));
    quote!(object.attribute::<#ty>(#name).doc(#doc)#(.#flags())*#deprecated #default #check #equal;)
}

/// A text literal stands for a `String`.
fn owned(value: &Expr) -> TokenStream {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text), ..
        }) => quote!(::std::string::String::from(#text)),
        other => quote!(#other),
    }
}
