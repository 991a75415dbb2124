//! The evaluation of an expression: each kind of node.

mod apply;
mod group;
mod operators;
mod order;
mod path;
mod transform;
mod tuples;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::ast::{Kind, Lambda, Node, Operator, Program};
use super::error::{Failure, error};
use super::functions;
use super::host::Host;
use super::meter::Meter;
use super::number;
use super::value::frame::{Env, Tied, bind, frame, look_up};
use super::value::{Closure, Function, Items, Text, Value, level_over, sequence_of, truth};
use crate::clock::{Dice, Millis};

/// One evaluation.
pub(super) struct Evaluator<'p> {
    program: &'p Program,
    meter: Rc<Meter>,
    depth: Cell<usize>,
    now: Millis,
    dice: RefCell<Dice>,
    tied: Tied,
}

type Evaluated = Result<Value, Failure>;

/// Evaluates the program with `$events` bound.
pub(super) fn run(program: &Program, meter: &Rc<Meter>, events: Value, now: Millis, dice: Dice) -> Evaluated {
    let evaluator = Evaluator {
        program,
        meter: Rc::clone(meter),
        depth: Cell::new(0),
        now,
        dice: RefCell::new(dice),
        tied: Tied::default(),
    };
    let env = frame(meter, None)?;
    bind(&evaluator.tied, &env, &"events".into(), events)?;
    evaluator.eval(&program.root, &Value::Undefined, &env)
}

impl Host for Evaluator<'_> {
    fn meter(&self) -> &Rc<Meter> {
        &self.meter
    }

    fn apply(&self, function: &Function, arguments: Vec<Value>) -> Evaluated {
        self.meter.work(1)?;
        self.call(function, arguments, &Value::Null)
    }

    fn arity(&self, function: &Function) -> usize {
        match function {
            Function::Native(index) => functions::at(*index).arity,
            Function::Closure(closure) => closure.lambda.parameters.len(),
            Function::Partial(partial) => partial.arguments.iter().filter(|given| given.is_none()).count(),
            Function::Regex(_) | Function::Composed(_) | Function::Transform(..) => 1,
        }
    }

    fn now(&self) -> Millis {
        self.now
    }

    fn with_dice(&self, roll: &mut dyn FnMut(&mut Dice)) {
        roll(&mut self.dice.borrow_mut());
    }
}

impl Evaluator<'_> {
    fn enter(&self) -> Result<(), Failure> {
        self.meter.work(1)?;
        let depth = self.depth.get() + 1;
        self.depth.set(depth);
        if depth > self.meter.limits.depth_max {
            return Err(Failure::Depth);
        }
        Ok(())
    }

    fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }

    /// The value of a node. A failure ends the whole evaluation, so that nothing is put back after one.
    fn eval(&self, node: &Node, input: &Value, env: &Env) -> Evaluated {
        self.enter()?;
        let mut value = self.kind(node, input, env)?;
        for filter in &node.predicates {
            value = self.filter(filter, value, env)?;
        }
        if let (Some(group), false) = (&node.group, matches!(node.kind, Kind::Path { .. })) {
            value = self.group(group, &value, env)?;
        }
        self.leave();
        Ok(settle(node, value))
    }

    fn kind(&self, node: &Node, input: &Value, env: &Env) -> Evaluated {
        match &node.kind {
            Kind::Path { .. } => self.path(node, input, env),
            Kind::Name(name) => self.member(input, name),
            Kind::Text(text) => Ok(Value::Text(Text::Constant(Arc::clone(text)))),
            Kind::Number(number) => Ok(Value::Number(*number)),
            Kind::Bool(value) => Ok(Value::Bool(*value)),
            Kind::Null => Ok(Value::Null),
            Kind::Wildcard => self.wildcard(input),
            Kind::Descendants => self.descendants(input),
            Kind::Parent(slot) => {
                Ok(look_up(env, &self.program.ancestors[*slot]).unwrap_or(Value::Undefined))
            }
            Kind::Variable(name) => Ok(variable(name, input, env)),
            Kind::Regex(pattern) => Ok(Value::Function(Function::Regex(Arc::clone(pattern)))),
            Kind::Binary(operator, both) => self.binary(node, *operator, both, input, env),
            Kind::Negate(operand) => self.negate(node, operand, input, env),
            Kind::Array { items, whole } => self.array(items, *whole, input, env),
            Kind::Object(pairs) => self.group(pairs, input, env),
            Kind::Block { parts, .. } => self.block(parts, input, env),
            Kind::Bind(name, value) => {
                let value = self.eval(value, input, env)?;
                bind(&self.tied, env, name, value.clone())?;
                Ok(value)
            }
            Kind::Condition(both, otherwise) => {
                if self.holds(&both.0, input, env)? {
                    self.eval(&both.1, input, env)
                } else {
                    otherwise
                        .as_ref()
                        .map_or(Ok(Value::Undefined), |node| self.eval(node, input, env))
                }
            }
            Kind::Default(both) => {
                let value = self.eval(&both.0, input, env)?;
                let holds = truth(&self.meter, &value)? == Some(true);
                if holds {
                    Ok(value)
                } else {
                    self.eval(&both.1, input, env)
                }
            }
            Kind::Coalesce(both) => {
                let value = self.eval(&both.0, input, env)?;
                if value.is_undefined() {
                    self.eval(&both.1, input, env)
                } else {
                    Ok(value)
                }
            }
            Kind::Lambda(lambda) => closure(lambda, input, env),
            Kind::Call(procedure, arguments) => self.call_node(node, procedure, arguments, None, input, env),
            Kind::Partial(procedure, arguments) => self.partial(node, procedure, arguments, input, env),
            Kind::Apply(both) => self.apply_node(node, both, input, env),
            Kind::Sort(_) => Ok(Value::Undefined),
            Kind::Transform(transform) => Ok(Value::Function(Function::Transform(
                Arc::clone(transform),
                Rc::clone(env),
            ))),
        }
    }

    fn holds(&self, test: &Node, input: &Value, env: &Env) -> Result<bool, Failure> {
        let value = self.eval(test, input, env)?;
        Ok(truth(&self.meter, &value)? == Some(true))
    }

    fn block(&self, parts: &[Node], input: &Value, env: &Env) -> Evaluated {
        let inner = frame(&self.meter, Some(env))?;
        let mut value = Value::Undefined;
        for part in parts {
            value = self.eval(part, input, &inner)?;
        }
        Ok(value)
    }

    fn negate(&self, node: &Node, operand: &Node, input: &Value, env: &Env) -> Evaluated {
        match self.eval(operand, input, env)? {
            Value::Undefined => Ok(Value::Undefined),
            Value::Number(number) => Ok(Value::Number(-number)),
            other => {
                let what = format!("`-` stands before {}, not a number", other.what());
                Err(error("D1002", what).or_at(node.position))
            }
        }
    }

    fn array(&self, parts: &[Node], whole: bool, input: &Value, env: &Env) -> Evaluated {
        let mut items = Items::new(&self.meter)?;
        for part in parts {
            let value = self.eval(part, input, env)?;
            match (&part.kind, &value) {
                (_, Value::Undefined) => {}
                (Kind::Array { .. }, _) => items.push(value)?,
                _ => items.append(&value)?,
            }
        }
        let mut array = items.array()?;
        array.whole = whole;
        Ok(Value::Array(array))
    }

    /// The member of that name, of each object in an array.
    pub(super) fn member(&self, input: &Value, name: &str) -> Evaluated {
        functions::member(&self.meter, input, name)
    }

    /// All members, with the items of those that are arrays; as soon as there is one, the result is an array for good.
    fn wildcard(&self, input: &Value) -> Evaluated {
        let mut items = Items::new(&self.meter)?;
        let mut arrays = false;
        let mut add = |value: &Value| {
            arrays |= matches!(value, Value::Array(_));
            self.flat(value, &mut items)
        };
        match input {
            Value::Object(object) => object.entries().iter().try_for_each(|(_, value)| add(value))?,
            Value::Array(array) => array.iter().try_for_each(&mut add)?,
            _ => {}
        }
        let found = if arrays { items.array()? } else { items.sequence()? };
        Ok(Value::Array(found))
    }

    fn flat(&self, value: &Value, items: &mut Items) -> Result<(), Failure> {
        self.meter.work(1)?;
        match value {
            Value::Array(array) => array.iter().try_for_each(|item| self.flat(item, items)),
            other => items.push(other.clone()),
        }
    }

    fn descendants(&self, input: &Value) -> Evaluated {
        if input.is_undefined() {
            return Ok(Value::Undefined);
        }
        let mut items = Items::new(&self.meter)?;
        self.descend(input, &mut items)?;
        match items.items() {
            [only] => Ok(only.clone()),
            _ => Ok(Value::Array(items.sequence()?)),
        }
    }

    fn descend(&self, value: &Value, items: &mut Items) -> Result<(), Failure> {
        self.meter.work(1)?;
        match value {
            Value::Array(array) => array.iter().try_for_each(|item| self.descend(item, items)),
            Value::Object(object) => {
                items.push(value.clone())?;
                object
                    .entries()
                    .iter()
                    .try_for_each(|(_, member)| self.descend(member, items))
            }
            other => items.push(other.clone()),
        }
    }

    /// The items that pass: by their place, or because the filter holds.
    fn filter(&self, filter: &Node, value: Value, env: &Env) -> Evaluated {
        let items = match value {
            Value::Array(array) => array,
            single => sequence_of(&self.meter, single)?,
        };
        if let Kind::Number(index) = filter.kind {
            let item = number::place(index, items.len()).map(|place| items[place].clone());
            return match item {
                Some(array @ Value::Array(_)) => Ok(array),
                Some(Value::Undefined) | None => Ok(Value::Array(Items::new(&self.meter)?.sequence()?)),
                Some(item) => Ok(Value::Array(sequence_of(&self.meter, item)?)),
            };
        }
        let mut passed = Items::new(&self.meter)?;
        for (at, item) in items.iter().enumerate() {
            let verdict = self.eval(filter, item, env)?;
            for _ in 0..self.passes(&verdict, at, items.len())? {
                passed.push(item.clone())?;
            }
        }
        Ok(Value::Array(passed.sequence()?))
    }

    /// How often the item at that place passes.
    fn passes(&self, verdict: &Value, at: usize, of: usize) -> Result<usize, Failure> {
        let is = |index: f64| usize::from(number::place(index, of) == Some(at));
        if let Value::Array(indexes) = verdict {
            self.meter.work(indexes.len())?;
            let mut count = Some(0);
            for index in indexes.iter() {
                count = match (count, index) {
                    (Some(count), Value::Number(index)) if index.is_finite() => Some(count + is(*index)),
                    _ => None,
                };
            }
            if let Some(count) = count {
                return Ok(count);
            }
        }
        match verdict {
            Value::Number(index) if verdict.is_number()? => Ok(is(*index)),
            _ => Ok(usize::from(truth(&self.meter, verdict)? == Some(true))),
        }
    }

    fn binary(
        &self,
        node: &Node,
        operator: Operator,
        both: &(Node, Node),
        input: &Value,
        env: &Env,
    ) -> Evaluated {
        let left = self.eval(&both.0, input, env)?;
        if matches!(operator, Operator::And | Operator::Or) {
            let holds = truth(&self.meter, &left)? == Some(true);
            if holds == (operator == Operator::Or) {
                return Ok(Value::Bool(holds));
            }
            return Ok(Value::Bool(self.holds(&both.1, input, env)?));
        }
        let right = self.eval(&both.1, input, env)?;
        operators::operate(&self.meter, operator, &left, &right)
            .map_err(|failure| failure.or_at(node.position))
    }
}

fn closure(lambda: &Arc<Lambda>, input: &Value, env: &Env) -> Evaluated {
    level_over([input])?;
    Ok(Value::Function(Function::Closure(Rc::new(Closure {
        lambda: Arc::clone(lambda),
        input: input.clone(),
        env: Rc::clone(env),
    }))))
}

fn variable(name: &str, input: &Value, env: &Env) -> Value {
    if name.is_empty() {
        return input.clone();
    }
    look_up(env, name)
        .or_else(|| functions::named(name).map(|index| Value::Function(Function::Native(index))))
        .unwrap_or(Value::Undefined)
}

/// A sequence of one is its item, an empty one is nothing.
fn settle(node: &Node, value: Value) -> Value {
    match value {
        Value::Array(mut array) if array.sequence => {
            array.keep |= node.keep_array;
            match &array[..] {
                [] => Value::Undefined,
                [only] if !array.keep => only.clone(),
                _ => Value::Array(array),
            }
        }
        other => other,
    }
}
