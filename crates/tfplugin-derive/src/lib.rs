//! derive(Attrs): emits calls of tfplugin's builder, and a function for each field that is its path.

mod emit;
mod parse;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes a struct a schema, its documentation and its codec.
///
/// The doc comments of the struct and of each field are its documentation, and must be there. The keys of `#[tf(..)]`
/// are `required`, `optional`, `computed`, `replace`, `use_state_for_unknown`, `default = expression`, `check = function`,
/// `equal = function`, `sensitive` and `write_only`.
#[proc_macro_derive(Attrs, attributes(tf))]
pub fn derive_attrs(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    match parse::parse(&input) {
        Ok(object) => emit::emit(&object).into(),
        Err(error) => error.into_compile_error().into(),
    }
}
