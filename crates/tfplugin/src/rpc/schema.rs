//! Schemas as messages.

use crate::cty::{Type, Val};
use crate::proto::tfplugin6 as pb;
use crate::schema::{Attribute, Nesting, Object, Shape};
use crate::semantics::draft::TIMEOUTS;
use crate::timeouts::Timeouts;

const MARKDOWN: i32 = pb::StringKind::Markdown as i32;

/// The schema of a resource, data source or provider.
pub(crate) fn schema(object: &Object, version: i64, timeouts: Timeouts) -> pb::Schema {
    let deprecated = object.deprecated.clone();
    let block = pb::schema::Block {
        version,
        attributes: object.attributes.iter().map(attribute).collect(),
        block_types: if timeouts.entries().is_empty() {
            Vec::new()
        } else {
            vec![timeouts_block(timeouts)]
        },
        description: object.doc.clone(),
        description_kind: MARKDOWN,
        deprecated: deprecated.is_some(),
        deprecation_message: deprecated.unwrap_or_default(),
    };
    pb::Schema {
        version,
        block: Some(block),
    }
}

/// The schema of an action, which has no state: nothing of it is computed, what has a default is optional.
pub(crate) fn action(object: &Object, timeouts: Timeouts) -> pb::ActionSchema {
    fn set_by_the_user(attributes: &mut [pb::schema::Attribute]) {
        for attr in attributes {
            attr.computed = false;
            set_by_the_user(
                attr.nested_type
                    .as_mut()
                    .map_or(&mut [], |nested| &mut nested.attributes),
            );
        }
    }
    let mut schema = schema(object, 0, timeouts);
    if let Some(block) = &mut schema.block {
        set_by_the_user(&mut block.attributes);
    }
    pb::ActionSchema { schema: Some(schema) }
}

fn attribute(attr: &Attribute) -> pb::schema::Attribute {
    let (ty, nested_type) = match &attr.shape {
        Shape::Plain(ty) => (ty.to_bytes(), None),
        Shape::Nested(nesting, object) => (Vec::new(), Some(nested(*nesting, object))),
    };
    pb::schema::Attribute {
        name: attr.name.clone(),
        r#type: ty,
        nested_type,
        description: described(attr),
        required: attr.required,
        optional: attr.optional,
        computed: attr.computed,
        sensitive: attr.sensitive,
        description_kind: MARKDOWN,
        deprecated: attr.deprecated.is_some(),
        write_only: attr.write_only,
        deprecation_message: attr.deprecated.clone().unwrap_or_default(),
    }
}

/// What the attribute is, and what the framework itself knows of it: nobody has to write that by hand.
fn described(attr: &Attribute) -> String {
    let default = attr
        .default
        .as_ref()
        .map(|default| format!("Default: `{}`.", hcl(&default())));
    let replace = attr.replace.then(|| "A change replaces the resource.".to_owned());
    let parts: Vec<_> = [Some(attr.doc.clone()), default, replace]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" ")
}

/// A default as a user would write it.
fn hcl(value: &Val) -> String {
    let list = |all: &[Val]| all.iter().map(hcl).collect::<Vec<_>>().join(", ");
    match value {
        Val::Null | Val::Unknown(_) => "null".to_owned(),
        Val::Bool(value) => value.to_string(),
        Val::Number(number) => number.to_string(),
        Val::String(text) => format!("{text:?}"),
        Val::List(all) | Val::Set(all) => format!("[{}]", list(all)),
        Val::Map(all) if all.is_empty() => "{}".to_owned(),
        Val::Map(all) => {
            let entry = |(name, value): (&String, &Val)| format!("{name} = {}", hcl(value));
            format!("{{ {} }}", all.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Val::Typed(inner) => hcl(&inner.value),
    }
}

fn nested(nesting: Nesting, object: &Object) -> pb::schema::Object {
    use pb::schema::object::NestingMode;
    let nesting = match nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Set => NestingMode::Set,
        Nesting::Map => NestingMode::Map,
    };
    pb::schema::Object {
        attributes: object.attributes.iter().map(attribute).collect(),
        nesting: nesting.into(),
        ..Default::default()
    }
}

fn timeouts_block(timeouts: Timeouts) -> pb::schema::NestedBlock {
    let one = |(operation, default): (&str, std::time::Duration)| pb::schema::Attribute {
        name: operation.to_owned(),
        r#type: Type::String.to_bytes(),
        description: format!(
            "How long {operation} may take, such as `30s` or `10m`. Default `{}`.",
            text(default)
        ),
        optional: true,
        description_kind: MARKDOWN,
        ..Default::default()
    };
    pb::schema::NestedBlock {
        type_name: TIMEOUTS.to_owned(),
        block: Some(pb::schema::Block {
            attributes: timeouts.entries().into_iter().map(one).collect(),
            description: "How long operations may take.".to_owned(),
            description_kind: MARKDOWN,
            ..Default::default()
        }),
        nesting: pb::schema::nested_block::NestingMode::Single.into(),
        ..Default::default()
    }
}

/// A duration as a user would write it.
fn text(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{}ms", duration.as_millis()),
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

/// The type of a whole object with its `timeouts` block.
pub(crate) fn full_type(object: &Object, timeouts: Timeouts) -> Type {
    let entries = timeouts.entries();
    let Type::Object(mut types, optional) = object.ty() else {
        return Type::Dynamic;
    };
    if !entries.is_empty() {
        let block = Type::object(entries.into_iter().map(|(name, _)| (name, Type::String)));
        types.insert(TIMEOUTS.to_owned(), block);
    }
    Type::Object(types, optional)
}

/// The definition of a function.
pub(crate) fn function(object: &Object, output: &Type) -> pb::Function {
    let parameter = |attr: &Attribute| pb::function::Parameter {
        name: attr.name.clone(),
        r#type: attr.shape.ty().to_bytes(),
        allow_null_value: attr.parameter.nullable,
        allow_unknown_values: attr.parameter.unknown,
        description: attr.doc.clone(),
        description_kind: MARKDOWN,
    };
    let (variadic, fixed): (Vec<_>, Vec<_>) =
        object.attributes.iter().partition(|attr| attr.parameter.variadic);
    pb::Function {
        parameters: fixed.into_iter().map(parameter).collect(),
        variadic_parameter: variadic.into_iter().map(parameter).next(),
        r#return: Some(pb::function::Return {
            r#type: output.to_bytes(),
        }),
        summary: object.doc.lines().next().unwrap_or_default().to_owned(),
        description: object.doc.clone(),
        description_kind: MARKDOWN,
        deprecation_message: object.deprecated.clone().unwrap_or_default(),
    }
}

/// The version of every identity's schema. It is above 0, which the identities of other providers' types have: OpenTofu keeps
/// the identity of a moved object, and has it upgraded where its version is older.
pub(super) const IDENTITY_VERSION: i64 = 1;

/// The schema of an identity.
pub(crate) fn identity(object: &Object, attributes: &[(&'static str, bool)]) -> pb::ResourceIdentitySchema {
    let one = |(name, required): &(&'static str, bool)| {
        let attr = object.attribute(name);
        pb::resource_identity_schema::IdentityAttribute {
            name: (*name).to_owned(),
            r#type: attr.map_or(Type::String, |attr| attr.shape.ty()).to_bytes(),
            required_for_import: *required,
            optional_for_import: !*required,
            description: attr.map(|attr| attr.doc.clone()).unwrap_or_default(),
        }
    };
    pb::ResourceIdentitySchema {
        version: IDENTITY_VERSION,
        identity_attributes: attributes.iter().map(one).collect(),
    }
}
