//! A plan takes paths of its own resource, and values of the attribute's type.

use tfplugin::{Attrs, Plan, Resource};

/// Another thing.
#[derive(Attrs)]
struct Other {
    /// Its name.
    #[tf(optional)]
    name: Option<String>,
}

fn plan<R: Resource>(plan: &mut Plan<'_, R>, size: tfplugin::Attr<R, Option<i64>>) {
    plan.set(size.clone(), "big");
    plan.set(Other::name(), "a");
    let _: tfplugin::Value<String> = plan.config(size);
}

fn main() {}
