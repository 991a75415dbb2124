//! A field without documentation.

use tfplugin::Attrs;

/// A thing.
#[derive(Attrs)]
struct Thing {
    #[tf(required)]
    name: String,
}

fn main() {}
