//! Writes the impls: one builder call chain an attribute, one line each to read and write it, one function each for its
//! path.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
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
    let paths = paths(object);
    quote! {
        #[automatically_derived]
        #[allow(deprecated, unused_variables)]
        impl ::tfplugin::Attrs for #name {
            fn describe(object: &mut ::tfplugin::ObjectBuilder) {
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
        #paths
    }
}

/// The paths of the attributes: functions of the struct, for a path that begins at it, and methods of a path to an
/// attribute of the struct's type, for one that continues.
fn paths(object: &Object) -> TokenStream {
    let (name, vis) = (&object.name, &object.vis);
    let starts = object.fields.iter().map(|Attr { field, name, ty, .. }| {
        let doc = format!("The path of `{name}`.");
        quote_spanned! {field.span()=>
            #[doc = #doc]
            #vis fn #field() -> ::tfplugin::Attr<Self, #ty> {
                ::tfplugin::derived::root(#name)
            }
        }
    });
    let continued = object.fields.iter().map(|Attr { field, name, ty, .. }| {
        quote! {
            pub fn #field(&self) -> ::tfplugin::Attr<__Root, #ty> {
                ::tfplugin::derived::attr(&self.0, #name)
            }
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(dead_code, deprecated, private_interfaces, clippy::all, clippy::pedantic)]
        impl #name {
            #(#starts)*
        }

        #[allow(dead_code, deprecated, missing_docs, private_interfaces, unreachable_pub, clippy::all, clippy::pedantic)]
        const _: () = {
            pub struct __Paths<__Root>(::tfplugin::Path, ::core::marker::PhantomData<fn() -> __Root>);

            impl<__Root> __Paths<__Root> {
                #(#continued)*
            }

            impl<__Root> ::core::convert::From<::tfplugin::Path> for __Paths<__Root> {
                fn from(path: ::tfplugin::Path) -> Self {
                    Self(path, ::core::marker::PhantomData)
                }
            }

            impl<__Root> ::core::convert::AsRef<::tfplugin::Path> for __Paths<__Root> {
                fn as_ref(&self) -> &::tfplugin::Path {
                    &self.0
                }
            }

            impl ::tfplugin::AttrType for #name {
                type Known = Self;
                type Paths<__Root> = __Paths<__Root>;

                fn shape() -> ::tfplugin::schema::Shape {
                    ::tfplugin::derived::shape::<Self>()
                }

                fn from_val(
                    value: &::tfplugin::cty::Val,
                ) -> ::core::result::Result<Self, ::tfplugin::cty::ValueError> {
                    ::tfplugin::derived::from_val(value)
                }

                fn to_val(&self) -> ::tfplugin::cty::Val {
                    ::tfplugin::derived::to_val(self)
                }
            }
        };
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

/// A text literal is a `String`.
fn owned(value: &Expr) -> TokenStream {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text), ..
        }) => quote!(::std::string::String::from(#text)),
        other => quote!(#other),
    }
}
