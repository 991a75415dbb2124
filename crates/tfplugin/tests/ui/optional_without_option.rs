use tfplugin::Attrs;

/// A thing.
#[derive(Attrs)]
struct Thing {
    /// Its name.
    #[tf(optional)]
    name: String,
}

fn main() {}
