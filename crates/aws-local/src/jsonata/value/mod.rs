//! The values that an evaluation works with. Each counts what it holds, and how deep it is, so that neither memory nor
//! a walk through it is without a bound.

pub(super) mod frame;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use super::ast::{Lambda, Name, Transform};
use super::error::Failure;
use super::meter::{Charge, Meter};
use super::pattern::Pattern;
use frame::Env;

/// Levels of arrays, objects and functions within each other.
const LEVELS_MAX: usize = 500;

/// What an entry of an array counts; of an object about three times that.
const ITEM_BYTES: usize = size_of::<Value>();

#[derive(Debug, Clone)]
pub(super) enum Value {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(Text),
    Array(Array),
    Object(Object),
    Function(Function),
    /// Steps of a path with what they bind: never seen by an expression.
    Tuples(Rc<Vec<Tuple>>),
}

/// A value on its way through a path, and the variables that go with it.
#[derive(Debug, Clone)]
pub(super) struct Tuple {
    pub(super) value: Value,
    pub(super) bound: Vec<(Name, Value)>,
}

/// A text of the expression, or one that was made.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Constant(Name),
    Made(Rc<(String, Charge)>),
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Constant(text) => text,
            Self::Made(made) => &made.0,
        }
    }
}

/// Items, with how the language treats them.
#[derive(Debug, Clone)]
pub(super) struct Array {
    data: Rc<ArrayData>,
    /// The result of a path or of a function over items: a single item stands for itself.
    pub(super) sequence: bool,
    /// … unless it was asked for as an array.
    pub(super) keep: bool,
    /// Made by an array constructor in a path: it is not flattened.
    pub(super) whole: bool,
}

#[derive(Debug)]
struct ArrayData {
    items: Vec<Value>,
    levels: usize,
    functions: bool,
    _charge: Charge,
}

impl Deref for Array {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.data.items
    }
}

impl Array {
    /// Which array it is, among those that live.
    pub(super) fn identity(&self) -> usize {
        Rc::as_ptr(&self.data).addr()
    }
}

/// Members in the order in which they came.
#[derive(Debug, Clone)]
pub(super) struct Object(Rc<ObjectData>);

#[derive(Debug)]
struct ObjectData {
    members: Members,
    levels: usize,
    functions: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Function {
    /// The place in the table of functions.
    Native(usize),
    Closure(Rc<Closure>),
    Regex(Arc<Pattern>),
    Partial(Rc<Partial>),
    /// The second of the first.
    Composed(Rc<(Function, Function, usize)>),
    Transform(Arc<Transform>, Env),
}

#[derive(Debug)]
pub(super) struct Closure {
    pub(super) lambda: Arc<Lambda>,
    pub(super) input: Value,
    pub(super) env: Env,
}

/// A function with some of its arguments.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) function: Function,
    pub(super) arguments: Vec<Option<Value>>,
    pub(super) levels: usize,
}

impl Value {
    pub(super) fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined)
    }

    pub(super) fn constant(text: &str) -> Self {
        Self::Text(Text::Constant(text.into()))
    }

    pub(super) fn text(meter: &Rc<Meter>, text: String) -> Result<Self, Failure> {
        meter.read(text.len())?;
        let charge = meter.hold(text.len() + ITEM_BYTES)?;
        Ok(Self::Text(Text::Made(Rc::new((text, charge)))))
    }

    /// A finite number; an error names what is none.
    pub(super) fn is_number(&self) -> Result<bool, Failure> {
        match self {
            Self::Number(number) if number.is_infinite() => Err(super::error::error(
                "D1001",
                "a number is beyond what can be written",
            )),
            Self::Number(number) => Ok(!number.is_nan()),
            _ => Ok(false),
        }
    }

    /// Its letter in signatures.
    pub(super) fn letter(&self) -> char {
        match self {
            Self::Undefined => 'm',
            Self::Null => 'l',
            Self::Bool(_) => 'b',
            Self::Number(_) => 'n',
            Self::Text(_) => 's',
            Self::Array(_) | Self::Tuples(_) => 'a',
            Self::Object(_) => 'o',
            Self::Function(_) => 'f',
        }
    }

    /// What it is, for messages.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Undefined => "nothing",
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::Array(_) | Self::Tuples(_) => "an array",
            Self::Object(_) => "an object",
            Self::Function(_) => "a function",
        }
    }

    fn levels(&self) -> usize {
        match self {
            Self::Array(array) => array.data.levels,
            Self::Object(object) => object.0.levels,
            Self::Function(function) => function.levels(),
            Self::Tuples(tuples) => tuples.iter().map(|tuple| tuple.value.levels()).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Whether it is or holds a function, and with it variables.
    pub(super) fn has_functions(&self) -> bool {
        match self {
            Self::Array(array) => array.data.functions,
            Self::Object(object) => object.0.functions,
            Self::Function(_) | Self::Tuples(_) => true,
            _ => false,
        }
    }
}

/// One level more than what is below it, where that is allowed.
pub(super) fn level_over<'v>(below: impl IntoIterator<Item = &'v Value>) -> Result<usize, Failure> {
    let levels = 1 + below.into_iter().map(Value::levels).max().unwrap_or(0);
    if levels > LEVELS_MAX {
        return Err(Failure::Levels);
    }
    Ok(levels)
}

impl Function {
    pub(super) fn levels(&self) -> usize {
        match self {
            Self::Native(_) | Self::Regex(_) | Self::Transform(..) => 1,
            Self::Closure(closure) => 1 + closure.input.levels(),
            Self::Partial(partial) => partial.levels,
            Self::Composed(both) => both.2,
        }
    }
}

impl Object {
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0.members.get(key)
    }

    pub(super) fn entries(&self) -> &[(Text, Value)] {
        &self.0.members.entries
    }

    /// A copy to change.
    pub(super) fn members(&self, meter: &Rc<Meter>) -> Result<Members, Failure> {
        let mut members = Members::new(meter)?;
        for (key, value) in self.entries() {
            members.set(key.clone(), value.clone())?;
        }
        Ok(members)
    }

    /// Which object it is, among those that live.
    pub(super) fn identity(&self) -> usize {
        Rc::as_ptr(&self.0).addr()
    }
}

/// From so many members on they are found by hash.
const INDEXED_FROM: usize = 12;

/// Members of an object that is being made.
#[derive(Debug)]
pub(super) struct Members {
    entries: Vec<(Text, Value)>,
    places: HashMap<Name, usize>,
    charge: Charge,
}

impl Members {
    pub(super) fn new(meter: &Rc<Meter>) -> Result<Self, Failure> {
        Ok(Self {
            entries: Vec::new(),
            places: HashMap::new(),
            charge: meter.hold(4 * ITEM_BYTES)?,
        })
    }

    fn place(&self, key: &str) -> Option<usize> {
        if self.places.is_empty() {
            return self.entries.iter().position(|(name, _)| **name == *key);
        }
        self.places.get(key).copied()
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.place(key).map(|place| &self.entries[place].1)
    }

    /// A member that is there keeps its place.
    pub(super) fn set(&mut self, key: Text, value: Value) -> Result<(), Failure> {
        if let Some(place) = self.place(&key) {
            self.entries[place].1 = value;
            return Ok(());
        }
        self.charge.grow(3 * ITEM_BYTES)?;
        if self.entries.len() + 1 == INDEXED_FROM {
            for (place, (name, _)) in self.entries.iter().enumerate() {
                self.charge.grow(name.len() + 3 * ITEM_BYTES)?;
                self.places.insert((**name).into(), place);
            }
        }
        if !self.places.is_empty() {
            self.charge.grow(key.len() + 3 * ITEM_BYTES)?;
            self.places.insert((*key).into(), self.entries.len());
        }
        self.entries.push((key, value));
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &str) -> Result<(), Failure> {
        self.charge.work(self.entries.len() / 16)?;
        if let Some(place) = self.place(key) {
            self.entries.remove(place);
            self.places.remove(key);
            for later in self.places.values_mut().filter(|later| **later > place) {
                *later -= 1;
            }
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn finish(self) -> Result<Value, Failure> {
        self.charge.work(self.entries.len() / 4)?;
        let values = || self.entries.iter().map(|(_, value)| value);
        let levels = level_over(values())?;
        let functions = values().any(Value::has_functions);
        Ok(Value::Object(Object(Rc::new(ObjectData {
            members: self,
            levels,
            functions,
        }))))
    }
}

/// Items of an array that is being made.
#[derive(Debug)]
pub(super) struct Items {
    items: Vec<Value>,
    charge: Charge,
}

impl Items {
    pub(super) fn new(meter: &Rc<Meter>) -> Result<Self, Failure> {
        Ok(Self {
            items: Vec::new(),
            charge: meter.hold(2 * ITEM_BYTES)?,
        })
    }

    pub(super) fn push(&mut self, value: Value) -> Result<(), Failure> {
        self.charge.grow(ITEM_BYTES)?;
        self.items.push(value);
        Ok(())
    }

    pub(super) fn extend(&mut self, values: &[Value]) -> Result<(), Failure> {
        self.charge.grow(values.len() * ITEM_BYTES)?;
        self.items.extend_from_slice(values);
        Ok(())
    }

    /// The value, or the items of an array.
    pub(super) fn append(&mut self, value: &Value) -> Result<(), Failure> {
        match value {
            Value::Array(array) => self.extend(array),
            other => self.push(other.clone()),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn items(&self) -> &[Value] {
        &self.items
    }

    pub(super) fn array(self) -> Result<Array, Failure> {
        self.charge.work(self.items.len() / 16)?;
        Ok(Array {
            data: Rc::new(ArrayData {
                levels: level_over(&self.items)?,
                functions: self.items.iter().any(Value::has_functions),
                items: self.items,
                _charge: self.charge,
            }),
            sequence: false,
            keep: false,
            whole: false,
        })
    }

    pub(super) fn sequence(self) -> Result<Array, Failure> {
        Ok(Array {
            sequence: true,
            ..self.array()?
        })
    }
}

/// An array of one item that the language treats as the item.
pub(super) fn sequence_of(meter: &Rc<Meter>, value: Value) -> Result<Array, Failure> {
    let mut items = Items::new(meter)?;
    items.push(value)?;
    items.sequence()
}

/// Text that is being made.
#[derive(Debug)]
pub(super) struct Written {
    text: String,
    charge: Charge,
}

impl Written {
    pub(super) fn new(meter: &Rc<Meter>) -> Result<Self, Failure> {
        Ok(Self {
            text: String::new(),
            charge: meter.hold(ITEM_BYTES)?,
        })
    }

    pub(super) fn push(&mut self, text: &str) -> Result<(), Failure> {
        self.charge.grow(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn finish(self) -> Value {
        Value::Text(Text::Made(Rc::new((self.text, self.charge))))
    }
}

/// Whether two values are the same: members of objects in whatever order.
pub(super) fn equal(meter: &Meter, left: &Value, right: &Value) -> Result<bool, Failure> {
    meter.work(1)?;
    Ok(match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        #[expect(clippy::float_cmp, reason = "`=` of the language")]
        (Value::Number(left), Value::Number(right)) => left == right,
        (Value::Text(left), Value::Text(right)) => {
            meter.read(left.len().min(right.len()))?;
            **left == **right
        }
        (Value::Array(left), Value::Array(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(right.iter()) {
                if !equal(meter, left, right)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Object(left), Value::Object(right)) => {
            if left.entries().len() != right.entries().len() {
                return Ok(false);
            }
            for (key, left) in left.entries() {
                match right.get(key) {
                    Some(right) if equal(meter, left, right)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        _ => false,
    })
}

/// The order of texts: by UTF-16, as in JavaScript.
pub(super) fn text_order(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

/// What counts as true; nothing for nothing.
pub(super) fn truth(meter: &Meter, value: &Value) -> Result<Option<bool>, Failure> {
    Ok(Some(match value {
        Value::Undefined => return Ok(None),
        Value::Bool(value) => *value,
        Value::Text(text) => !text.is_empty(),
        Value::Number(number) => value.is_number()? && *number != 0.0,
        Value::Object(object) => !object.entries().is_empty(),
        Value::Array(array) => {
            meter.work(array.len())?;
            let mut any = false;
            for item in array.iter() {
                any = any || truth(meter, item)? == Some(true);
            }
            any
        }
        Value::Null | Value::Function(_) | Value::Tuples(_) => false,
    }))
}
