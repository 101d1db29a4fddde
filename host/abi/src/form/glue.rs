//! The small modules that `wit-component` adds to a component: they let a module import functions
//! that need its memory, which exists only once it has been instantiated.
//!
//! The *shim* exports a function for each, which calls an entry of a table. The *fixup* fills the
//! table once the functions are there. The *starter* calls the guest's constructors after that.

use wasmparser::{
    ElementItems, ElementKind, ExternalKind, FuncType, FunctionBody, Operator, Parser, Payload,
    TableType, TypeRef,
};

/// A shim.
#[derive(Debug, Default)]
pub(super) struct Shim<'a> {
    /// The entry of the table that each function calls, by the name of its export.
    entries: Vec<(&'a str, u32)>,
    /// The name of the table.
    pub(super) table: &'a str,
}

impl<'a> Shim<'a> {
    /// Reads a module; `None` if it is not exactly a shim.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut types = Vec::new();
        let mut functions = Vec::new();
        let mut called = Vec::new();
        let mut tables = Vec::new();
        let mut shim = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.ok()? {
                Payload::TypeSection(section) => {
                    for ty in section.into_iter_err_on_gc_types() {
                        types.push(ty.ok()?);
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        functions.push(ty.ok()?);
                    }
                }
                Payload::TableSection(section) => {
                    for table in section {
                        tables.push(table.ok()?.ty);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export.ok()?;
                        match export.kind {
                            ExternalKind::Func => shim.entries.push((export.name, export.index)),
                            ExternalKind::Table => shim.table = export.name,
                            _ => return None,
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let ty = *functions.get(called.len())?;
                    called.push(called_entry(&body, ty, types.get(ty as usize)?)?);
                }
                payload => passes(&payload)?,
            }
        }
        is_one_of_functions(&tables, called.len())?;
        for (_, function) in &mut shim.entries {
            *function = *called.get(*function as usize)?;
        }
        Some(shim)
    }

    /// The entry of the table that this export calls.
    pub(super) fn entry(&self, export: &str) -> Option<u32> {
        let mut entries = self.entries.iter();
        entries.find(|(name, _)| *name == export).map(|it| it.1)
    }
}

/// The entry that a function calls, if it does nothing but pass its parameters on.
fn called_entry(body: &FunctionBody<'_>, own: u32, ty: &FuncType) -> Option<u32> {
    let mut operators = body.get_operators_reader().ok()?;
    let locals = body.get_locals_reader().ok()?;
    if locals.get_count() != 0 {
        return None;
    }
    for parameter in 0..ty.params().len() as u32 {
        match operators.read().ok()? {
            Operator::LocalGet { local_index } if local_index == parameter => {}
            _ => return None,
        }
    }
    let Operator::I32Const { value } = operators.read().ok()? else {
        return None;
    };
    match operators.read().ok()? {
        Operator::CallIndirect {
            type_index,
            table_index: 0,
        } if type_index == own => {}
        _ => return None,
    }
    match operators.read().ok()? {
        Operator::End if operators.eof() => u32::try_from(value).ok(),
        _ => None,
    }
}

/// Whether there is one table, of so many functions, that nobody can change from outside but by its
/// export.
fn is_one_of_functions(tables: &[TableType], functions: usize) -> Option<()> {
    let [table] = tables else { return None };
    let fits = table.element_type.is_func_ref() && table.initial == functions as u64;
    (fits && !table.table64 && !table.shared).then_some(())
}

/// A fixup: the names of its imports, in the order in which it puts them into the table.
#[derive(Debug)]
pub(super) struct Fixup<'a> {
    pub(super) functions: Vec<&'a str>,
    /// The name by which it imports the table.
    pub(super) table: &'a str,
}

impl<'a> Fixup<'a> {
    /// Reads a module; `None` if it is not exactly a fixup.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut functions = Vec::new();
        let mut table = None;
        let mut filled = false;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.ok()? {
                Payload::TypeSection(_) => {}
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import.ok()?;
                        match import.ty {
                            _ if !import.module.is_empty() => return None,
                            TypeRef::Func(_) => functions.push(import.name),
                            TypeRef::Table(_) if table.is_none() => table = Some(import.name),
                            _ => return None,
                        }
                    }
                }
                Payload::ElementSection(section) => {
                    let [element] = &*section.into_iter().collect::<Result<Vec<_>, _>>().ok()?
                    else {
                        return None;
                    };
                    let at_zero = match &element.kind {
                        ElementKind::Active {
                            table_index: None | Some(0),
                            offset_expr,
                        } => {
                            let mut offset = offset_expr.get_operators_reader();
                            matches!(offset.read().ok()?, Operator::I32Const { value: 0 })
                                && matches!(offset.read().ok()?, Operator::End)
                        }
                        _ => false,
                    };
                    let ElementItems::Functions(items) = &element.items else {
                        return None;
                    };
                    let items = items.clone().into_iter().collect::<Result<Vec<_>, _>>();
                    filled = at_zero && items.ok()?.into_iter().eq(0..functions.len() as u32);
                }
                payload => passes(&payload)?,
            }
        }
        let table = table.filter(|_| filled)?;
        Some(Self { functions, table })
    }
}

/// Whether a module does nothing but call the one function that it imports, when it is instantiated;
/// the module name and the name of that.
pub(super) fn starter(bytes: &[u8]) -> Option<(&str, &str)> {
    let mut imported = None;
    let mut starts = false;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::TypeSection(_) => {}
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.ok()?;
                    match import.ty {
                        TypeRef::Func(_) if imported.is_none() => {
                            imported = Some((import.module, import.name));
                        }
                        _ => return None,
                    }
                }
            }
            Payload::StartSection { func: 0, .. } => starts = true,
            payload => passes(&payload)?,
        }
    }
    imported.filter(|_| starts)
}

/// Whether a part of a module does nothing.
fn passes(payload: &Payload<'_>) -> Option<()> {
    match payload {
        Payload::Version { .. }
        | Payload::CodeSectionStart { .. }
        | Payload::CustomSection(_)
        | Payload::End(_) => Some(()),
        _ => None,
    }
}
