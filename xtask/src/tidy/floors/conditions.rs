//! `#[cfg(..)]`: whether code can be compiled outside tests and fuzzing.

use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

/// Whether these attributes leave the code out of every build but those of tests, doc tests and fuzz targets.
pub(super) fn test_only(attributes: &[Attribute]) -> bool {
    let conditions = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"));
    conditions
        .filter_map(|attribute| attribute.parse_args::<Meta>().ok())
        .any(|condition| !may_hold(&condition))
}

const TESTS: [&str; 3] = ["test", "doctest", "fuzzing"];

/// Whether a condition holds in some build of the product.
fn may_hold(condition: &Meta) -> bool {
    match (name(condition).as_str(), parts(condition)) {
        ("all", Some(parts)) => parts.iter().all(may_hold),
        ("any", Some(parts)) => parts.iter().any(may_hold),
        ("not", Some(parts)) => !parts.iter().all(must_hold),
        (name, _) => !TESTS.contains(&name),
    }
}

/// Whether a condition holds in every build of the product.
fn must_hold(condition: &Meta) -> bool {
    match (name(condition).as_str(), parts(condition)) {
        ("all", Some(parts)) => parts.iter().all(must_hold),
        ("any", Some(parts)) => parts.iter().any(must_hold),
        ("not", Some(parts)) => !parts.iter().any(may_hold),
        _ => false,
    }
}

fn name(condition: &Meta) -> String {
    let name = condition.path().get_ident();
    name.map(ToString::to_string).unwrap_or_default()
}

fn parts(condition: &Meta) -> Option<Vec<Meta>> {
    let list = condition.require_list().ok()?;
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    Some(parts.ok()?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::test_only;

    #[test]
    fn what_only_tests_compile_is_told_apart() {
        let check = |condition: &str, expected: bool| {
            let item: syn::ItemMod = syn::parse_str(&format!("{condition} mod x;")).unwrap();
            assert_eq!(test_only(&item.attrs), expected, "{condition}");
        };
        check("", false);
        check("#[cfg(test)]", true);
        check("#[cfg(fuzzing)]", true);
        check("#[cfg(any(test, fuzzing))]", true);
        check("#[cfg(all(test, not(fuzzing)))]", true);
        check("#[cfg(all(unix, test))]", true);
        check("#[cfg(unix)]", false);
        check("#[cfg(feature = \"client\")]", false);
        check("#[cfg(any(test, feature = \"client\"))]", false);
        check("#[cfg(not(test))]", false);
        check("#[cfg(not(unix))]", false);
        check("#[cfg(not(not(test)))]", true);
        check("#[cfg(unix)] #[cfg(test)]", true);
    }
}
