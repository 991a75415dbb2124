//! A path is a function that the compiler knows, and so is what it goes on to.

use tfplugin::{Attrs, Diagnostic};

/// A thing.
#[derive(Attrs)]
struct Thing {
    /// Its name.
    #[tf(optional)]
    name: Option<String>,
    /// Its part.
    #[tf(optional)]
    part: Option<Part>,
}

/// A part.
#[derive(Attrs)]
struct Part {
    /// Its size.
    #[tf(optional)]
    size: Option<i64>,
}

fn main() {
    let _ = Diagnostic::error("").at(Thing::nmae());
    let _ = Diagnostic::error("").at(Thing::part().sise());
    let _ = Diagnostic::error("").at(Thing::name().size());
    // A text is no path at all.
    let _ = Diagnostic::error("").at("name");
}
