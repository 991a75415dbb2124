//! What the macro writes, as a snapshot.

use expect_test::expect_file;

#[test]
fn expansion() {
    let input = syn::parse_quote! {
        /// A thing,
        /// in two lines.
        #[derive(Attrs)]
        struct Thing {
            /// Its name.
            #[tf(required, replace, check = check::name)]
            name: String,
            /// Its type.
            #[tf(optional, computed, default = "plain")]
            r#type: String,
            /// Its text.
            #[deprecated(since = "1.0", note = "use `type`")]
            #[tf(optional, sensitive, equal = same)]
            text: Option<String>,
            /// Its size.
            #[tf(default = 2 * UNIT)]
            size: i64,
        }
    };
    let tokens = crate::emit::emit(&crate::parse::parse(&input).unwrap()).to_string();
    // One statement a line is all the layout that a reader needs.
    let text = tokens
        .replace(" ; ", " ;\n")
        .replace(" { ", " {\n")
        .replace(" } ", " }\n")
        + "\n";
    expect_file!["../tests/expansion.txt"].assert_eq(&text);
}
