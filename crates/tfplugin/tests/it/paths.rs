//! Paths that derive(Attrs) writes.

use std::collections::BTreeMap;

use tfplugin::{Attr, Attrs, Path};

/// A thing.
#[derive(Attrs)]
struct Thing {
    /// Its type.
    #[tf(optional)]
    r#type: Option<String>,
    /// Its parts, by name, in layers.
    #[tf(optional)]
    parts: Option<BTreeMap<String, Vec<Part>>>,
    /// Its main part.
    #[tf(optional)]
    main: Option<Part>,
}

/// A part, whose fields have the names of what paths and traits have.
#[derive(Attrs)]
struct Part {
    /// Text.
    #[tf(optional)]
    path: Option<String>,
    /// Text.
    #[tf(optional)]
    key: Option<String>,
    /// Text.
    #[tf(optional)]
    index: Option<String>,
    /// Text.
    #[tf(optional)]
    name: Option<String>,
}

fn check<R, T: tfplugin::AttrType>(attr: Attr<R, T>, text: &str) {
    assert_eq!(attr.to_string(), text);
    assert_eq!(attr.clone().to_string(), text);
    assert_eq!(Path::from(&attr).to_string(), text);
    assert_eq!(format!("{attr:?}"), format!("Attr({text})"));
    assert_eq!(Path::from(attr).to_string(), text);
}

#[test]
fn paths() {
    check(Thing::r#type(), "type");
    check(Thing::parts(), "parts");
    check(Thing::parts().key("a.b"), "parts[\"a.b\"]");
    check(Thing::parts().key("a").index(1), "parts[\"a\"][1]");
    check(Thing::parts().key("a").index(1).name(), "parts[\"a\"][1].name");
    check(Thing::main().path(), "main.path");
    check(Thing::main().key(), "main.key");
    check(Thing::main().index(), "main.index");
}
