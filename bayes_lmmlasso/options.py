"""Options of commands, made from groups of settings: see `bayes_lmmlasso.settings`.

A command takes groups as parameters,

    def null(data: DataSettings, out: OutFile) -> None: ...

and has an option for each of their fields, with the field's help, default and values. An option given twice is refused:
the last one would win without a word. Help is plain text, in sections: options by their groups, then examples.
"""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import wraps
from pathlib import Path
from traceback import format_exc
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from typer.core import TyperCommand, TyperGroup

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.settings import GENOTYPES, TRAIT, Settings, as_option, shown
from bayes_lmmlasso.terminal import OUTPUT, PROGRAM, Voice, set_voice, voice

__all__ = ["Command", "Commands", "takes_groups"]

_VOICE = {
    "quiet": "Cautions and errors alone, on stderr.",
    "verbose": "A line for each stage as it begins and ends, with time and memory; a traceback with an error.",
    "json": "One JSON object on stdout: what was found, the files, the cautions.",
}
_WIDTH = 100  # columns of help, where the terminal has them
_PLACES = {GENOTYPES: -2, TRAIT: -1, OUTPUT: 1, "Help": 2}  # of sections of help, the others between
_ABOUT = ("help", "_", "install_completion", "show_completion")
_FIRST = 30  # columns of the names of options


class Commands(TyperGroup):
    """Commands whose bad input is told in one sentence on stderr, with status 2.

    So are, with status 1, a process that died and a disk that is full; Ctrl-C has status 130, another signal 128 and
    its number.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        set_voice(Voice())
        try:
            return super().invoke(ctx)
        except (InputError, ChildProcessError) as error:
            if voice().verbose:
                typer.echo(format_exc(), err=True)
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(2 if isinstance(error, InputError) else 1) from error
        except BrokenPipeError:
            raise  # nobody reads: Typer's to end
        except OSError as error:
            name = f" ({error.filename})" if error.filename else ""
            typer.echo(
                f"Error: expected files that can be read and written, got {error.strerror or error}{name}: make room, "
                "or see to the disk",
                err=True,
            )
            raise typer.Exit(1) from error
        except KeyboardInterrupt as stopped:
            raise typer.Exit(*(stopped.args or (130,))) from None

    def make_context(self, *given: Any, **more: Any) -> Any:
        """Let help be as wide as it reads well."""
        return super().make_context(*given, max_content_width=_WIDTH, **more)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands by what they are for, then the options."""
        commands = [(_panel(each), name, each.get_short_help_str(500)) for name, each in self.commands.items()]
        _write_sections(formatter, commands)
        _write_sections(formatter, _option_rows(self, ctx))


class Command(TyperCommand):
    """A command that takes each of its options once, and names at once all that are missing."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options by their groups, then the examples."""
        _write_sections(formatter, _option_rows(self, ctx))
        with formatter.section("Examples"):
            for example in getattr(self.callback, "examples", ()):
                formatter.write(f"{'':{formatter.current_indent}}{PROGRAM} {example}\n")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an option that is given twice, and arguments that lack some."""
        if ctx.resilient_parsing:  # a shell that completes
            return super().parse_args(ctx, args)
        set_voice(Voice(call=shlex.join([PROGRAM, str(ctx.info_name), *args])))
        given, _, order = self.make_parser(ctx).parse_args(list(args))
        options = [each for each in order if each.param_type_name == "option" and not each.multiple]
        for option in options:
            if options.count(option) > 1:
                raise InputError(f"expected {option.opts[0]} once, got it {options.count(option)} times: give it once")
        missing = [_called(each) for each in self.params if each.required and not given.get(each.name)]
        for choice in getattr(self.callback, "one_of", ()):
            if not any(given.get(name) for name in choice):
                missing.append(f"one of {', '.join(map(as_option, choice))}")
        if missing and "help" not in given:
            them = "them" if len(missing) > 1 else "it"
            raise InputError(f"expected {', and '.join(missing)}, got none: add {them}, see {ctx.command_path} --help")
        return super().parse_args(ctx, args)


def takes_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command options in place of its parameters that are groups of settings."""
    parameters = inspect.signature(command, eval_str=True).parameters.values()
    groups = {each.name: each.annotation for each in parameters if _is_group(each.annotation)}
    fields = {name: tuple(group.model_fields) for name, group in groups.items()}

    @wraps(command)
    def with_options(**given: Any) -> None:
        set_voice(replace(voice(), **{name: given.pop(name) for name in _VOICE}))
        made = {
            name: group(**{field: _value(given.pop(field)) for field in fields[name]}) for name, group in groups.items()
        }
        command(**made, **given)

    options = [option for parameter in parameters for option in _options(parameter)]
    options += [_flag(name, text) for name, text in _VOICE.items()]
    with_options.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    with_options.__annotations__ = {option.name: option.annotation for option in options}
    vars(with_options)["one_of"] = [group.one_of for group in groups.values() if group.one_of]
    return with_options


def _called(parameter: Any) -> str:
    """Return what a user writes for an option, or what help shows for an argument."""
    return str(parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar)


def _value(given: Any) -> Any:
    """Return the value of a field: names come in several options, or with commas in one."""
    return tuple(name for each in given for name in each.split(",")) if isinstance(given, list) else given


def _is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Settings)


def _options(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    """Return a command's parameters for one of its function's: that itself, or one a field."""
    group = parameter.annotation
    if not _is_group(group):
        return [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
    fields = sorted(group.model_fields.items(), key=lambda each: not each[1].is_required())
    return [_option(name, field, _section(group, name)) for name, field in fields]


def _section(group: type[Settings], name: str) -> str:
    """Return the section of help for a field: its own, or that of the class that it is of."""
    of = [each for each in group.mro() if issubclass(each, Settings) and name in each.model_fields]
    return str(shown(group.model_fields[name], "title") or of[-1].title)


def _flag(name: str, text: str) -> inspect.Parameter:
    """Return the parameter for an option of every command."""
    option = typer.Option(as_option(name), help=text, rich_help_panel=OUTPUT)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, option])


def _option(name: str, field: FieldInfo, title: str) -> inspect.Parameter:
    """Return the parameter of a command for a field."""
    choices, plain = shown(field, "choices"), _plain_type(field)
    option = typer.Option(
        *([as_option(name)] if plain is bool else []),
        help=field.description,
        metavar=shown(field, "metavar") or ("|".join(choices) + ",..." * shown(field, "several") if choices else None),
        show_default=shown(field, "unset") or plain is not bool,
        rich_help_panel=title,
        autocompletion=_completion(choices) if choices else None,
    )
    default = inspect.Parameter.empty if field.is_required() else field.default
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[plain, option])


def _plain_type(field: FieldInfo) -> Any:
    """Return the type of an option's value: names to choose from are text."""
    if get_origin(field.annotation) is tuple:
        return list[str]
    types = [each for each in (get_args(field.annotation) or (field.annotation,)) if each is not NoneType]
    plain = types[0] if types[0] in (int, float, str, bool, Path) else str
    return plain | None if NoneType in get_args(field.annotation) else plain


def _completion(choices: tuple[str, ...]) -> Callable[[str], list[str]]:
    """Return what completes a choice, before which others may stand with commas."""

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        return [f"{before}{comma}{choice}" for choice in choices if choice.startswith(last)]

    return complete


def _option_rows(command: Any, ctx: Any) -> Iterator[tuple[str, str, str]]:
    """Yield what help says of each option: section, name, text."""
    for each in command.get_params(ctx):
        if row := each.get_help_record(ctx):
            kind = "Help" if each.name in _ABOUT else f"{each.param_type_name.capitalize()}s"
            yield _panel(each) or kind, *row


def _panel(each: Any) -> str:
    """Return the section of help that a command or an option was given; empty if none was."""
    return getattr(each, "rich_help_panel", None) or ""


def _write_sections(formatter: Any, rows: Iterable[tuple[str, str, str]]) -> None:
    """Write rows in sections, in the order of the first of each."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for title, name, text in rows:
        sections.setdefault(title, []).append((f"{name:{_FIRST}}", text))
    for title, entries in sorted(sections.items(), key=lambda each: _PLACES.get(each[0], 0)):
        with formatter.section(title):
            formatter.write_dl(entries)
