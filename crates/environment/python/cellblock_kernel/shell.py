"""IPython's shell over our namespace, and what differs from it: no terminal, no database, no threads, no colours.

Imported when a cell first needs it (see `interpreter`). It never runs the session's cells, but everything in it that
does run code (`%run`, `%time`, `get_ipython().run_cell(…)`) works on the same namespace and shows through the same
outlet.
"""

from __future__ import annotations

import os
import sys

# First: after an import of it that was interrupted, its modules do not import it by themselves.
import IPython  # noqa: F401
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError, UsageError
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell
from IPython.core.profiledir import ProfileDir
from IPython.utils.text import LSString, SList

from . import commands, display, figures, layer, tables, tracebacks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: `%%bash` and its like, where IPython would start a thread with an event loop.
_SCRIPTS = frozenset({"script", "bash", "sh", "perl", "ruby", "python", "python3"})


class CellDisplayHook(DisplayHook):
    """Shows the value of a last expression."""

    def quiet(self) -> bool:
        return False  # The `;` is seen before a value comes here.

    def write_output_prompt(self) -> None:
        pass

    def update_user_ns(self, result: Any) -> None:
        self.shell.interpreter.remember(result)

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        interpreter = self.shell.interpreter
        display.send_result(interpreter.outlet, format_dict, md_dict or {}, interpreter.current)

    def log_output(self, format_dict: dict) -> None:
        pass  # IPython would keep every picture in memory.

    def finish_displayhook(self) -> None:
        self._is_active = False


class CellDisplayPublisher(DisplayPublisher):
    """Shows what `display()` is given."""

    def _setup_execution_tracking(self) -> None:
        pass

    def publish(
        self,
        data: dict,
        metadata: dict | None = None,
        source: Any = None,
        *,
        transient: dict | None = None,
        update: bool = False,
        **_kwargs: Any,
    ) -> None:
        self._validate_data(data, metadata)
        display_id = (transient or {}).get("display_id")
        display.send_display(self.shell.interpreter.outlet, data, metadata, display_id, update)

    def clear_output(self, wait: bool = False) -> None:
        display.send_clear(self.shell.interpreter.outlet, wait)


class CellHistory(HistoryManager):
    """The session's inputs, in memory: no database, and no thread that writes one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(enabled=False, **kwargs)


class CellProfile(ProfileDir):
    """A profile's folder, which is not made before something is written into it."""

    def _location_changed(self, change: Any) -> None:
        pass


class CellShell(InteractiveShell):
    """The shell that `get_ipython()` gives."""

    displayhook_class = CellDisplayHook
    display_pub_class = CellDisplayPublisher

    #: Libraries take a shell with this attribute for a notebook's: pandas then shows all columns, not what fits into
    #: a terminal that is not there.
    kernel = None
    #: Whether the cell that ends is the executor's, and not one that IPython runs within it.
    ends_ours = False
    #: What `_transformers` gave when the shell was new.
    _own_transformers: tuple[int, ...] = ()
    #: Set by `build`, before the base class's constructor needs it.
    interpreter: Any = None

    # What the base class would do to the process or to the disk when it is made.

    def _ipython_dir_changed(self, change: Any) -> None:
        pass

    def init_profile_dir(self, profile_dir: Any) -> None:
        self.profile_dir = CellProfile(location=os.path.join(self.ipython_dir, "profile_default"))

    def init_virtualenv(self) -> None:
        pass

    def init_sys_modules(self) -> None:
        pass

    def init_prompts(self) -> None:
        pass

    def init_history(self) -> None:
        self.history_manager = CellHistory(shell=self, parent=self)
        self.configurables.append(self.history_manager)

    def init_user_ns(self) -> None:
        initial = self.interpreter.initial_names()
        self.user_ns_hidden.update(initial)
        for name, value in initial.items():
            # A name of these that a cell has defined by now is the user's.
            self.user_ns.setdefault(name, value)

    def init_hooks(self) -> None:
        super().init_hooks()
        from IPython.core import page

        # `help?` shows its text instead of starting a pager.
        self.set_hook("show_in_pager", lambda _self, *args, **kwargs: page.display_page(*args, **kwargs), 99)

    def init_pdb(self) -> None:
        pass

    def adopt(self) -> None:
        """This process is the session's now: paths are those of its home."""
        self.starting_dir = os.getcwd()
        home = os.path.expanduser("~")
        if home != self.home_dir:
            self.home_dir = home
            self.ipython_dir = os.path.join(home, ".ipython")
            self.init_profile_dir(None)

    # What the executor asks and tells.

    def transforms_text(self) -> bool:
        """Whether the user added transformations of a cell's text, so that none may be skipped."""
        return self._transformers() != self._own_transformers

    def _transformers(self) -> tuple[int, ...]:
        manager = self.input_transformer_manager
        return (
            len(manager.cleanup_transforms),
            len(manager.line_transforms),
            len(manager.token_transformers),
            len(self.input_transformers_post),
            self.autocall,
        )

    def before(self, raw: str, transformed: str, store: bool, silent: bool) -> None:
        """A cell is about to run."""
        self._info = (raw, store, silent, True, None)
        self.events.trigger("pre_execute")
        if not silent and self.events.callbacks["pre_run_cell"]:
            self.events.trigger("pre_run_cell", ExecutionInfo(*self._info))

    def after(self, error: BaseException | None, silent: bool) -> None:
        """A cell has run."""
        result = ExecutionResult(ExecutionInfo(*self._info))
        result.execution_count = self.execution_count - 1
        result.error_in_exec = error
        self.last_execution_succeeded = error is None
        self.last_execution_result = result
        self.ends_ours = True
        try:
            self.events.trigger("post_execute")
        finally:
            self.ends_ours = False
        if not silent:
            self.events.trigger("post_run_cell", result)

    # Errors that IPython itself shows (of `%run`, of a broken `_repr_html_`).

    def showtraceback(self, exc_tuple: Any = None, *_args: Any, **_kwargs: Any) -> None:
        try:
            kind, error, _trace = self._get_exc_info(exc_tuple)
        except ValueError:
            return
        if kind is UsageError:
            text = f"UsageError: {error}"
        else:
            text = tracebacks.render(error)
        sys.stderr.write(f"{text}\n")

    def showsyntaxerror(self, *_args: Any, **_kwargs: Any) -> None:
        self.showtraceback()

    # Commands.

    def system(self, cmd: str) -> None:
        status = commands.shell(self.var_expand(cmd, depth=1))
        self._command_ended(cmd, status)

    system_piped = system_raw = system

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:
        text, status = commands.output_of(self.var_expand(cmd, depth=depth + 1))
        self._command_ended(cmd, status)
        return SList(text.splitlines()) if split else LSString(text)

    def _command_ended(self, cmd: str, status: int) -> None:
        self.user_ns["_exit_code"] = status
        if status and getattr(self, "system_raise_on_error", False):
            from subprocess import CalledProcessError

            raise CalledProcessError(status, cmd)

    def run_line_magic(self, magic_name: str, line: str, _stack_depth: int = 1) -> Any:
        if magic_name == "config" and "InlineBackend" in line:
            figures.offer_options(self)
        return super().run_line_magic(magic_name, line, _stack_depth + 1)

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> Any:
        if magic_name in _SCRIPTS and "--" not in line:
            import shlex

            argv = shlex.split(self.var_expand(line, 1))
            argv = argv if magic_name == "script" else [magic_name, *argv]
            if argv:
                return self._run_script(argv, cell)
        return super().run_cell_magic(magic_name, line, cell)

    def _run_script(self, argv: list[str], cell: str) -> None:
        text = cell if cell.endswith("\n") else f"{cell}\n"
        try:
            status = commands.run(argv, text)
        except FileNotFoundError:
            sys.stderr.write(f"Couldn't find program: {argv[0]!r}\n")
            return
        if status:
            from subprocess import CalledProcessError

            raise CalledProcessError(status, " ".join(argv))

    def pip(self, line: str) -> None:
        """Runs pip, which installs into the session: `%pip install NAME`."""
        import shlex

        before = layer.shadowed()
        self.system(f"{shlex.quote(sys.executable)} -m pip {line}")
        names = [f"`{name}`" for name in layer.shadowed() if name not in before]
        if names:
            told = "exit() ends the interpreter, and the next call begins with what is installed now"
            print(f"Imported before, from elsewhere: {', '.join(names)}; {told}.")

    # What needs a terminal or a window.

    def ask_yes_no(self, prompt: str, default: Any = None, interrupt: Any = None) -> bool:
        raise StdinNotImplementedError(f"nobody to ask: {prompt}")

    def enable_gui(self, gui: Any = None) -> None:
        pass

    def enable_matplotlib(self, gui: Any = None) -> tuple[str, str]:
        # Figures are shown whatever is asked for here.
        return "inline", "agg"


def build(interpreter: Any) -> CellShell:
    """Makes the interpreter's shell. What cells have defined until now stays as it is."""
    from traitlets.config import Config

    names = interpreter.names
    before = {name: names[name] for name in ("_", "__", "___") if name in names}
    CellShell.interpreter = interpreter
    home = os.path.expanduser("~")
    shell = CellShell.instance(
        user_module=interpreter.main,
        ipython_dir=os.path.join(home, ".ipython"),
        config=Config(InteractiveShell={"colors": "nocolor", "autoindent": False, "warn_venv": False}),
    )
    shell.Completer.use_jedi = False
    names.update(before)
    import atexit
    import builtins

    # It would clear the namespace before handlers that cells registered have run.
    atexit.unregister(shell.atexit_operations)
    builtins.get_ipython = interpreter.initial_names()["get_ipython"]  # type: ignore[attr-defined]
    history = shell.history_manager
    history.input_hist_parsed = interpreter.inputs
    history.input_hist_raw = interpreter.raw_inputs
    history.output_hist = interpreter.outputs
    history.dir_hist = interpreter.directories
    recent = interpreter.recent
    hook = shell.displayhook
    hook._, hook.__, hook.___ = recent._, recent.__, recent.___
    interpreter.recent = hook
    interpreter.shell = shell
    shell.execution_count = interpreter.number
    shell._own_transformers = shell._transformers()
    shell.register_magic_function(shell.pip, "line", "pip")
    figures.teach(shell)
    tables.teach(shell)
    return shell
