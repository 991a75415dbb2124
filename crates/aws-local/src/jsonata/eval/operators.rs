//! Operators on two values.

use std::cmp::Ordering;
use std::rc::Rc;

use super::super::ast::Operator;
use super::super::error::{Failure, error};
use super::super::json::{Style, text_of};
use super::super::meter::Meter;
use super::super::number;
use super::super::value::{Items, Value, Written, equal, text_order};

/// What a range may have, where memory allows it.
const RANGE_MAX: f64 = 1e7;

pub(super) fn operate(
    meter: &Rc<Meter>,
    operator: Operator,
    left: &Value,
    right: &Value,
) -> Result<Value, Failure> {
    match operator {
        Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
            arithmetic(operator, left, right)
        }
        Operator::Equal | Operator::NotEqual => {
            if left.is_undefined() || right.is_undefined() {
                return Ok(Value::Bool(false));
            }
            let equal = equal(meter, left, right)?;
            Ok(Value::Bool(equal == (operator == Operator::Equal)))
        }
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            compare(meter, operator, left, right)
        }
        Operator::Concatenate => {
            let mut text = Written::new(meter)?;
            for side in [left, right] {
                if let Value::Text(side) = text_of(meter, side, Style::Text)? {
                    meter.read(side.len())?;
                    text.push(&side)?;
                }
            }
            Ok(text.finish())
        }
        Operator::In => includes(meter, left, right),
        Operator::Range => range(meter, left, right),
        Operator::And | Operator::Or => Ok(Value::Undefined),
    }
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Remainder => "%",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        _ => "",
    }
}

fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Result<Value, Failure> {
    for (side, value, code) in [("left", left, "T2001"), ("right", right, "T2002")] {
        if !value.is_undefined() && !value.is_number()? {
            let (sign, what) = (sign(operator), value.what());
            return Err(error(
                code,
                format!("the {side} side of `{sign}` is {what}, not a number"),
            ));
        }
    }
    let (Value::Number(left), Value::Number(right)) = (left, right) else {
        return Ok(Value::Undefined);
    };
    Ok(Value::Number(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        _ => left % right,
    }))
}

fn compare(meter: &Meter, operator: Operator, left: &Value, right: &Value) -> Result<Value, Failure> {
    for value in [left, right] {
        if !matches!(value, Value::Undefined | Value::Number(_) | Value::Text(_)) {
            let (sign, what) = (sign(operator), value.what());
            return Err(error(
                "T2010",
                format!("`{sign}` compares numbers or texts, not {what}"),
            ));
        }
    }
    let order = match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.partial_cmp(right),
        (Value::Text(left), Value::Text(right)) => {
            meter.read(left.len().min(right.len()))?;
            Some(text_order(left, right))
        }
        (Value::Undefined, _) | (_, Value::Undefined) => return Ok(Value::Undefined),
        _ => {
            let sign = sign(operator);
            return Err(error("T2009", format!("`{sign}` compares a number with text")));
        }
    };
    Ok(Value::Bool(match operator {
        Operator::Less => order == Some(Ordering::Less),
        Operator::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Operator::Greater => order == Some(Ordering::Greater),
        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }))
}

/// `in` finds texts, numbers and the like by what they are, objects and arrays only where they are the same one.
fn includes(meter: &Meter, left: &Value, right: &Value) -> Result<Value, Failure> {
    if left.is_undefined() {
        return Ok(Value::Bool(false));
    }
    let items = match right {
        Value::Array(array) => &array[..],
        single => std::slice::from_ref(single),
    };
    for item in items {
        let same = match (left, item) {
            (Value::Object(left), Value::Object(item)) => left.identity() == item.identity(),
            (Value::Array(left), Value::Array(item)) => left.identity() == item.identity(),
            _ => equal(meter, left, item)?,
        };
        if same {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn range(meter: &Rc<Meter>, left: &Value, right: &Value) -> Result<Value, Failure> {
    for (side, value, code) in [("left", left, "T2003"), ("right", right, "T2004")] {
        let whole = matches!(value, Value::Number(number) if number.is_finite() && number.fract() == 0.0);
        if !value.is_undefined() && !whole {
            return Err(error(code, format!("the {side} side of `..` is no whole number")));
        }
    }
    let (Value::Number(from), Value::Number(to)) = (left, right) else {
        return Ok(Value::Undefined);
    };
    if from > to {
        return Ok(Value::Undefined);
    }
    let count = to - from + 1.0;
    if count > RANGE_MAX {
        return Err(error(
            "D2014",
            format!(
                "the range has {} items, more than 10,000,000",
                number::written(count)
            ),
        ));
    }
    let mut items = Items::new(meter)?;
    for step in 0..number::whole(count) {
        meter.work(usize::from(step % 4 == 0))?;
        items.push(Value::Number(from + number::from_millis(step)))?;
    }
    Ok(Value::Array(items.sequence()?))
}
