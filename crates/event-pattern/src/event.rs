//! What an event has under the names that patterns ask for, and in which elements of which arrays.

use std::cell::RefCell;

use crate::error::EventError;
use crate::json::Surrogates;
use crate::names::{Names, ROOT};
use crate::scan::{Bad, Scan, Scanned, Text, complaint, decode};
use crate::value::Value;

/// An element of an array: the array, numbered as met, and the place in it.
pub(crate) type Element = (u32, u32);

/// No link: the end of a list.
const NONE: u32 = u32::MAX;

/// The values of one event. Reused from event to event, which saves the allocations.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    found: Vec<Found>,
    /// By name: the first and last value, if they are of this event.
    heads: Vec<Head>,
    event: u64,
    /// The elements that values lie in, each with the one around it.
    links: Vec<Link>,
    /// Strings that had escapes, without them.
    decoded: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Found {
    name: u32,
    start: u32,
    end: u32,
    decoded: bool,
    string: bool,
    link: u32,
    next: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Head {
    event: u64,
    first: u32,
    last: u32,
    /// Whether one of them lies in an element of an array.
    in_elements: bool,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    element: Element,
    around: u32,
}

/// The values of one event, with the event's text.
#[derive(Clone, Copy)]
pub(crate) struct Event<'a> {
    pub(crate) gathered: &'a Gathered,
    text: &'a [u8],
}

impl Gathered {
    /// Reads an event.
    pub(crate) fn read<'a>(&'a mut self, names: &Names, event: &'a str) -> Result<Event<'a>, EventError> {
        self.found.clear();
        self.links.clear();
        self.decoded.clear();
        self.event += 1;
        self.heads.resize(names.count(), Head::default());
        let Ok(_) = u32::try_from(event.len()) else {
            return Err(EventError::TooComplex);
        };
        let mut walk = Walk {
            names,
            scan: Scan::new(event.as_bytes()),
            gathered: self,
            link: NONE,
            arrays: 0,
        };
        match walk.event() {
            Ok(()) => Ok(Event {
                gathered: self,
                text: event.as_bytes(),
            }),
            Err(Bad) => Err(complaint(event)),
        }
    }

    fn put(&mut self, found: Found) {
        let at = index(self.found.len());
        let head = &mut self.heads[found.name as usize];
        if head.event == self.event {
            self.found[head.last as usize].next = at;
            head.last = at;
            head.in_elements |= found.link != NONE;
        } else {
            *head = Head {
                event: self.event,
                first: at,
                last: at,
                in_elements: found.link != NONE,
            };
        }
        self.found.push(found);
    }
}

/// Counts of what an event holds are smaller than its length, which fits.
fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(NONE)
}

impl<'a> Event<'a> {
    /// Every value that was found, with its name.
    pub(crate) fn all(self) -> impl Iterator<Item = (u32, Value<'a>)> {
        self.gathered
            .found
            .iter()
            .map(move |found| (found.name, self.value(found)))
    }

    /// The values under a name.
    pub(crate) fn values(self, name: u32) -> impl Iterator<Item = Value<'a>> {
        self.found(name).map(move |found| self.value(found))
    }

    /// The values under a name, and the elements that each lies in, the innermost first.
    pub(crate) fn values_in_elements(self, name: u32) -> impl Iterator<Item = (Value<'a>, Vec<Element>)> {
        self.found(name)
            .map(move |found| (self.value(found), self.elements(found.link)))
    }

    /// Whether a value under a name lies in an element of an array.
    pub(crate) fn in_elements(self, name: u32) -> bool {
        self.head(name).is_some_and(|head| head.in_elements)
    }

    pub(crate) fn has(self, name: u32) -> bool {
        self.head(name).is_some()
    }

    /// Whether any value at all lies in an element of an array.
    pub(crate) fn has_elements(self) -> bool {
        !self.gathered.links.is_empty()
    }

    fn found(self, name: u32) -> impl Iterator<Item = &'a Found> {
        let first = self.head(name).map_or(NONE, |head| head.first);
        let at = |at: u32| self.gathered.found.get(at as usize);
        std::iter::successors(at(first), move |found| at(found.next))
    }

    fn head(self, name: u32) -> Option<&'a Head> {
        let head = self.gathered.heads.get(name as usize);
        head.filter(|head| head.event == self.gathered.event)
    }

    fn value(self, found: &Found) -> Value<'a> {
        let from = if found.decoded {
            &self.gathered.decoded
        } else {
            self.text
        };
        Value {
            text: &from[found.start as usize..found.end as usize],
            string: found.string,
        }
    }

    fn elements(self, link: u32) -> Vec<Element> {
        let at = |at: u32| self.gathered.links.get(at as usize);
        std::iter::successors(at(link), move |link| at(link.around))
            .map(|link| link.element)
            .collect()
    }
}

struct Walk<'a> {
    names: &'a Names,
    scan: Scan<'a>,
    gathered: &'a mut Gathered,
    link: u32,
    arrays: u32,
}

impl Walk<'_> {
    fn event(&mut self) -> Scanned<()> {
        if self.scan.peek() != b'{' {
            return Err(Bad);
        }
        self.object(ROOT)
    }

    fn object(&mut self, node: u32) -> Scanned<()> {
        self.scan.step();
        let mut more = self.scan.opened(b'}')?;
        while more {
            let key = self.scan.key()?;
            match self.descend(node, key) {
                Some(child) => self.value(child)?,
                None => self.scan.skip()?,
            }
            more = self.scan.more(b'}')?;
        }
        Ok(())
    }

    #[inline]
    fn descend(&self, node: u32, key: Text) -> Option<u32> {
        let raw = &self.scan.src[key.start..key.end];
        if !key.escaped {
            return self.names.descend(node, raw);
        }
        let mut name = Vec::with_capacity(raw.len());
        decode(raw, Surrogates::Kept, &mut name);
        self.names.descend(node, &name)
    }

    fn value(&mut self, node: u32) -> Scanned<()> {
        match self.scan.peek() {
            b'{' => self.object(node),
            b'[' => self.array(node),
            _ => self.scalar(node),
        }
    }

    fn array(&mut self, node: u32) -> Scanned<()> {
        self.scan.step();
        let array = self.arrays;
        self.arrays += 1;
        let around = self.link;
        let mut more = self.scan.opened(b']')?;
        let mut at = 0;
        while more {
            // A scalar does not count as an element of its array: each tag of a list is compared by itself.
            if matches!(self.scan.peek(), b'{' | b'[') {
                self.link = index(self.gathered.links.len());
                self.gathered.links.push(Link {
                    element: (array, at),
                    around,
                });
                self.value(node)?;
                self.link = around;
            } else {
                self.scalar(node)?;
            }
            at += 1;
            more = self.scan.more(b']')?;
        }
        Ok(())
    }

    fn scalar(&mut self, node: u32) -> Scanned<()> {
        let Some(name) = self.names.name_at(node) else {
            return self.scan.skip();
        };
        let mut found = Found {
            name,
            start: 0,
            end: 0,
            decoded: false,
            string: true,
            link: self.link,
            next: NONE,
        };
        if self.scan.peek() == b'"' {
            self.scan.step();
            let text = self.scan.string()?;
            (found.start, found.end) = (index(text.start), index(text.end));
            if text.escaped {
                found.decoded = true;
                found.start = index(self.gathered.decoded.len());
                let raw = &self.scan.src[text.start..text.end];
                decode(raw, Surrogates::Question, &mut self.gathered.decoded);
                found.end = index(self.gathered.decoded.len());
            }
        } else {
            found.string = false;
            found.start = index(self.scan.at());
            self.scan.literal()?;
            found.end = index(self.scan.at());
        }
        self.gathered.put(found);
        Ok(())
    }
}

/// Runs `f` with values kept from the last event on this thread.
pub(crate) fn with_gathered<T>(f: impl FnOnce(&mut Gathered) -> T) -> T {
    thread_local! {
        static KEPT: RefCell<Gathered> = RefCell::default();
    }
    /// More values than this are not kept room for.
    const KEPT_MAX: usize = 4_096;
    KEPT.with(|kept| match kept.try_borrow_mut() {
        Ok(mut kept) => {
            let result = f(&mut kept);
            if kept.found.capacity() > KEPT_MAX || kept.decoded.capacity() > KEPT_MAX * 16 {
                *kept = Gathered::default();
            }
            result
        }
        Err(_) => f(&mut Gathered::default()),
    })
}
