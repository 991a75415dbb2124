//! Types of one's own over a plain one: they carry the check and the equality that each attribute of the type has.

use super::types::AttrType;
use crate::cty::{Val, ValueError};
use crate::schema::{Parameter, Shape};

/// A type of its own for values that go over the wire as another type: a region, a JSON text.
///
/// An attribute of such a type needs no `#[tf(check = ..)]` and no `#[tf(equal = ..)]`; in lists, sets and maps each
/// element is checked and compared. One that a field names all the same comes on top (`check`), or in place (`equal`).
///
/// ```
/// use tfplugin::{Attrs, Newtype};
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct Region(String);
///
/// impl Newtype for Region {
///     type Base = String;
///
///     fn new(base: String) -> Self {
///         Self(base)
///     }
///
///     fn base(&self) -> &String {
///         &self.0
///     }
///
///     fn check(text: &String) -> Result<(), String> {
///         if text.contains('-') { Ok(()) } else { Err("must be a region, such as `us-east-1`".to_owned()) }
///     }
/// }
///
/// /// A bus.
/// #[derive(Attrs)]
/// struct Bus {
///     /// Where it is.
///     #[tf(optional)]
///     region: Option<Region>,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of an attribute",
    note = "use String, bool, i64, f64, Number, Dynamic, a struct that derives Attrs, a type that implements Newtype, or Option, Value, Vec, BTreeSet, BTreeMap<String, _> of one"
)]
pub trait Newtype: Sized + Send + Sync + 'static {
    /// The type that goes over the wire.
    type Base: AttrType<Known = Self::Base>;

    /// Takes the value as it is: what comes from state was checked when it was configured.
    fn new(base: Self::Base) -> Self;

    /// The value inside.
    fn base(&self) -> &Self::Base;

    /// Refuses a value: "must …", without the attribute's name.
    fn check(_base: &Self::Base) -> Result<(), String> {
        Ok(())
    }

    /// Whether two values mean the same: a plan then keeps the prior one, a read the state's.
    fn equal(a: &Self::Base, b: &Self::Base) -> bool {
        a.to_val() == b.to_val()
    }
}

impl<N: Newtype> AttrType for N {
    type Known = Self;
    type Paths<R> = <N::Base as AttrType>::Paths<R>;
    const PARAMETER: Parameter = N::Base::PARAMETER;

    fn shape() -> Shape {
        N::Base::shape()
    }

    fn from_val(value: &Val) -> Result<Self, ValueError> {
        N::Base::from_val(value).map(N::new)
    }

    fn to_val(&self) -> Val {
        self.base().to_val()
    }

    fn check(value: &Val) -> Result<(), String> {
        N::Base::check(value)?;
        let base = N::Base::from_val(value).map_err(|error| error.to_string())?;
        N::check(&base)
    }

    fn same(a: &Val, b: &Val) -> bool {
        match (N::Base::from_val(a), N::Base::from_val(b)) {
            (Ok(base_a), Ok(base_b)) => N::equal(&base_a, &base_b) || N::Base::same(a, b),
            _ => false,
        }
    }
}
