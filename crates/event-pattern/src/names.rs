//! The names that patterns ask for, as a tree of their dotted segments.

use std::collections::HashMap;

/// Where every name begins.
pub(crate) const ROOT: u32 = 0;

/// More children than this are looked up by hash.
const FEW: usize = 8;

/// A tree of names; each has a number, and goes when it was removed as often as it was added.
#[derive(Debug)]
pub(crate) struct Names {
    nodes: Vec<Node>,
    free_nodes: Vec<u32>,
    /// By number, how often the name was added.
    uses: Vec<u32>,
    free_numbers: Vec<u32>,
    /// The names among them that have an empty key before their end.
    empty_keys: usize,
}

#[derive(Debug, Default)]
struct Node {
    children: Children,
    name: Option<u32>,
}

#[derive(Debug)]
enum Children {
    Few(Vec<(Box<[u8]>, u32)>),
    Many(HashMap<Box<[u8]>, u32>),
}

impl Default for Children {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Children {
    #[inline]
    fn get(&self, segment: &[u8]) -> Option<u32> {
        match self {
            Self::Few(list) => list
                .iter()
                .find(|(known, _)| **known == *segment)
                .map(|(_, child)| *child),
            Self::Many(map) => map.get(segment).copied(),
        }
    }

    fn insert(&mut self, segment: &[u8], child: u32) {
        match self {
            Self::Few(list) if list.len() < FEW => list.push((segment.into(), child)),
            Self::Few(list) => {
                let mut map: HashMap<Box<[u8]>, u32> = list.drain(..).collect();
                map.insert(segment.into(), child);
                *self = Self::Many(map);
            }
            Self::Many(map) => {
                map.insert(segment.into(), child);
            }
        }
    }

    fn remove(&mut self, segment: &[u8]) {
        match self {
            Self::Few(list) => list.retain(|(known, _)| **known != *segment),
            Self::Many(map) => {
                map.remove(segment);
                if map.len() <= FEW {
                    *self = Self::Few(map.drain().collect());
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Few(list) if list.is_empty())
    }
}

impl Default for Names {
    fn default() -> Self {
        Self {
            nodes: vec![Node::default()],
            free_nodes: Vec::new(),
            uses: Vec::new(),
            free_numbers: Vec::new(),
            empty_keys: 0,
        }
    }
}

impl Names {
    /// Numbers are below this.
    pub(crate) fn count(&self) -> usize {
        self.uses.len()
    }

    /// The number of a name, which is added if it is new.
    pub(crate) fn add(&mut self, name: &[u8]) -> u32 {
        let mut node = ROOT;
        for segment in segments(name) {
            node = match self.child(node, segment) {
                Some(child) => child,
                None => self.grow(node, segment),
            };
        }
        let number = self.name_at(node).unwrap_or_else(|| self.new_number());
        self.nodes[node as usize].name = Some(number);
        self.uses[number as usize] += 1;
        self.empty_keys += usize::from(has_empty_key(name));
        number
    }

    /// Takes back one `add`.
    pub(crate) fn remove(&mut self, name: &[u8]) {
        let Some(number) = self.number(name) else { return };
        self.empty_keys -= usize::from(has_empty_key(name));
        self.uses[number as usize] -= 1;
        if self.uses[number as usize] > 0 {
            return;
        }
        self.free_numbers.push(number);
        let mut path = vec![(ROOT, &b""[..])];
        for segment in segments(name) {
            let node = path.last().map_or(ROOT, |(node, _)| *node);
            path.extend(self.child(node, segment).map(|child| (child, segment)));
        }
        if let Some((node, _)) = path.last() {
            self.nodes[*node as usize].name = None;
        }
        self.prune(&path);
    }

    fn prune(&mut self, path: &[(u32, &[u8])]) {
        for pair in path.windows(2).rev() {
            let [(parent, _), (node, segment)] = pair else {
                continue;
            };
            let bare = &self.nodes[*node as usize];
            if bare.name.is_some() || !bare.children.is_empty() {
                return;
            }
            self.nodes[*parent as usize].children.remove(segment);
            self.free_nodes.push(*node);
        }
        if self.nodes[ROOT as usize].children.is_empty() {
            *self = Self::default();
        }
    }

    /// The number of a name that was added.
    pub(crate) fn number(&self, name: &[u8]) -> Option<u32> {
        let node = segments(name).try_fold(ROOT, |node, segment| self.child(node, segment))?;
        self.name_at(node)
    }

    /// The name that ends at a node.
    #[inline]
    pub(crate) fn name_at(&self, node: u32) -> Option<u32> {
        self.nodes[node as usize].name
    }

    /// Where a key leads; an event's key may hold dots too.
    ///
    /// The engine looks into a key of no characters only if some name has one before its end.
    #[inline]
    pub(crate) fn descend(&self, node: u32, key: &[u8]) -> Option<u32> {
        if key.is_empty() && self.empty_keys == 0 {
            return None;
        }
        match self.child(node, key) {
            Some(child) => Some(child),
            None if key.contains(&b'.') => {
                segments(key).try_fold(node, |node, segment| self.child(node, segment))
            }
            None => None,
        }
    }

    #[inline]
    fn child(&self, node: u32, segment: &[u8]) -> Option<u32> {
        self.nodes[node as usize].children.get(segment)
    }

    fn grow(&mut self, node: u32, segment: &[u8]) -> u32 {
        let child = self.free_nodes.pop().unwrap_or_else(|| {
            self.nodes.push(Node::default());
            number(self.nodes.len() - 1)
        });
        self.nodes[node as usize].children.insert(segment, child);
        child
    }

    fn new_number(&mut self) -> u32 {
        self.free_numbers.pop().unwrap_or_else(|| {
            self.uses.push(0);
            number(self.uses.len() - 1)
        })
    }
}

/// There are fewer names than bytes of patterns in memory.
fn number(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn segments(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    name.split(|byte| *byte == b'.')
}

/// Java's `split` leaves out what is empty at the end.
fn has_empty_key(name: &[u8]) -> bool {
    let end = name.iter().rposition(|byte| *byte != b'.').map_or(0, |at| at + 1);
    name.is_empty() || (end > 0 && segments(&name[..end]).any(<[u8]>::is_empty))
}
