//! Calls. A function that calls another as the last thing it does hands the call back, so that such calls nest no
//! deeper, however often they follow each other.

use std::rc::Rc;

use super::super::arguments;
use super::super::ast::{Kind, Node};
use super::super::error::{Failure, error};
use super::super::functions;
use super::super::host::Arguments;
use super::super::value::frame::{Env, bind, frame};
use super::super::value::{Closure, Function, Partial, Value, level_over};
use super::{Evaluated, Evaluator, variable};

/// What the body of a function came to.
enum Ended {
    Value(Value),
    /// The call that was last in the body.
    Call(Function, Vec<Value>),
}

impl Evaluator<'_> {
    /// Calls a function; `input` is the context for an argument that is missing.
    pub(super) fn call(&self, function: &Function, arguments: Vec<Value>, input: &Value) -> Evaluated {
        let mut ended = self.call_once(function, arguments, input)?;
        loop {
            match ended {
                Ended::Value(value) => return Ok(value),
                Ended::Call(function, arguments) => {
                    self.meter.work(1)?;
                    ended = self.call_once(&function, arguments, input)?;
                }
            }
        }
    }

    fn call_once(&self, function: &Function, arguments: Vec<Value>, input: &Value) -> Result<Ended, Failure> {
        match function {
            Function::Native(index) => {
                let native = functions::at(*index);
                let arguments =
                    arguments::check(&self.meter, &native.signature, arguments, input, native.name)?;
                (native.run)(self, Arguments(&arguments)).map(Ended::Value)
            }
            Function::Closure(closure) => self.call_closure(closure, arguments, input),
            Function::Regex(pattern) => functions::first_match(self, pattern, &arguments).map(Ended::Value),
            Function::Partial(partial) => {
                let mut rest = arguments.into_iter();
                let given = partial.arguments.iter();
                let all =
                    given.map(|given| given.clone().or_else(|| rest.next()).unwrap_or(Value::Undefined));
                Ok(Ended::Call(partial.function.clone(), all.collect()))
            }
            Function::Composed(both) => {
                self.enter()?;
                let between = self.call(&both.0, arguments, input)?;
                self.leave();
                Ok(Ended::Call(both.1.clone(), vec![between]))
            }
            Function::Transform(transform, env) => {
                let value = arguments.into_iter().next().unwrap_or(Value::Undefined);
                self.transform(transform, &value, env).map(Ended::Value)
            }
        }
    }

    fn call_closure(
        &self,
        closure: &Rc<Closure>,
        arguments: Vec<Value>,
        input: &Value,
    ) -> Result<Ended, Failure> {
        let lambda = &closure.lambda;
        let arguments = match &lambda.signature {
            Some(signature) => arguments::check(&self.meter, signature, arguments, input, "function")?,
            None => arguments,
        };
        let inner = frame(&self.meter, Some(&closure.env))?;
        let mut arguments = arguments.into_iter();
        for name in &lambda.parameters {
            bind(
                &self.tied,
                &inner,
                name,
                arguments.next().unwrap_or(Value::Undefined),
            )?;
        }
        self.last(&lambda.body, &closure.input, &inner, self.depth.get())
    }

    /// The value of a node that is last in a function, or the call that it is.
    fn last(&self, node: &Node, input: &Value, env: &Env, depth: usize) -> Result<Ended, Failure> {
        if !node.predicates.is_empty() || node.group.is_some() || node.keep_array {
            return self.eval(node, input, env).map(Ended::Value);
        }
        match &node.kind {
            Kind::Call(procedure, arguments) => {
                let before = self.depth.replace(depth);
                let (function, arguments) = self.prepare(node, procedure, arguments, None, input, env)?;
                self.depth.set(before);
                Ok(Ended::Call(function, arguments))
            }
            Kind::Condition(both, otherwise) => {
                self.enter()?;
                let next = if self.holds(&both.0, input, env)? {
                    Some(&both.1)
                } else {
                    otherwise.as_deref()
                };
                let ended = match next {
                    Some(next) => self.last(next, input, env, depth)?,
                    None => Ended::Value(Value::Undefined),
                };
                self.leave();
                Ok(ended)
            }
            Kind::Block { parts, .. } => {
                self.enter()?;
                let inner = frame(&self.meter, Some(env))?;
                let Some((last, before)) = parts.split_last() else {
                    self.leave();
                    return Ok(Ended::Value(Value::Undefined));
                };
                for part in before {
                    self.eval(part, input, &inner)?;
                }
                let ended = self.last(last, input, &inner, depth)?;
                self.leave();
                Ok(ended)
            }
            _ => self.eval(node, input, env).map(Ended::Value),
        }
    }

    pub(super) fn call_node(
        &self,
        node: &Node,
        procedure: &Node,
        arguments: &[Node],
        first: Option<Value>,
        input: &Value,
        env: &Env,
    ) -> Evaluated {
        let (function, arguments) = self.prepare(node, procedure, arguments, first, input, env)?;
        self.call(&function, arguments, input)
            .map_err(|failure| failure.or_at(node.position))
    }

    fn prepare(
        &self,
        node: &Node,
        procedure: &Node,
        arguments: &[Node],
        first: Option<Value>,
        input: &Value,
        env: &Env,
    ) -> Result<(Function, Vec<Value>), Failure> {
        let function = self.eval(procedure, input, env)?;
        let mut values: Vec<Value> = first.into_iter().collect();
        for argument in arguments {
            values.push(self.eval(argument, input, env)?);
        }
        let Value::Function(function) = function else {
            return Err(no_function(procedure, env, ["T1005", "T1006"], "called").or_at(node.position));
        };
        Ok((function, values))
    }

    pub(super) fn partial(
        &self,
        node: &Node,
        procedure: &Node,
        arguments: &[Option<Node>],
        input: &Value,
        env: &Env,
    ) -> Evaluated {
        let mut given = Vec::new();
        for argument in arguments {
            given.push(match argument {
                Some(argument) => Some(self.eval(argument, input, env)?),
                None => None,
            });
        }
        let Value::Function(function) = self.eval(procedure, input, env)? else {
            return Err(
                no_function(procedure, env, ["T1007", "T1008"], "given arguments").or_at(node.position)
            );
        };
        let function_value = Value::Function(function.clone());
        let levels = level_over(given.iter().flatten().chain([&function_value]))?;
        Ok(Value::Function(Function::Partial(Rc::new(Partial {
            function,
            arguments: given,
            levels,
        }))))
    }

    /// `left ~> right`
    pub(super) fn apply_node(&self, node: &Node, both: &(Node, Node), input: &Value, env: &Env) -> Evaluated {
        let left = self.eval(&both.0, input, env)?;
        if let (Kind::Call(procedure, arguments), true) = (&both.1.kind, both.1.predicates.is_empty()) {
            return self.call_node(&both.1, procedure, arguments, Some(left), input, env);
        }
        let right = self.eval(&both.1, input, env)?;
        let Value::Function(second) = right else {
            let what = format!("the right side of `~>` is {}, not a function", right.what());
            return Err(error("T2006", what).or_at(node.position));
        };
        if let Value::Function(first) = left {
            let values = [Value::Function(first.clone()), Value::Function(second.clone())];
            let levels = level_over(&values)?;
            return Ok(Value::Function(Function::Composed(Rc::new((
                first, second, levels,
            )))));
        }
        self.call(&second, vec![left], &Value::Null)
            .map_err(|failure| failure.or_at(node.position))
    }
}

/// What was called is no function: a `$` may be missing.
fn no_function(procedure: &Node, env: &Env, codes: [&'static str; 2], used: &str) -> Failure {
    let name = match &procedure.kind {
        Kind::Path { steps, .. } => match steps.first().map(|step| &step.kind) {
            Some(Kind::Name(name)) => Some(name),
            _ => None,
        },
        Kind::Variable(name) if &**name == "eval" => {
            return error(
                codes[1],
                "there is no `$eval` here, as at AWS; `$parse` makes a value of JSON text",
            );
        }
        Kind::Variable(name) => return error(codes[1], format!("`${name}` is {used} and is no function")),
        _ => None,
    };
    match name {
        Some(name) if matches!(variable(name, &Value::Undefined, env), Value::Function(_)) => error(
            codes[0],
            format!("`{name}` is {used} and is no function; the function is `${name}`"),
        ),
        Some(name) => error(codes[1], format!("`{name}` is {used} and is no function")),
        None => error(codes[1], format!("what is {used} is no function")),
    }
}
