"""What was received: a picture or a video, as a file, or in memory where no file could be written."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixapi_nb import show
from pixapi_nb.errors import PixapiError, clean
from pixapi_nb.models import Kind, media_type, suffix

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Media"]


@dataclass(frozen=True)
class Media:
    """One picture or video. `path` is its file; `data` its bytes where there is no file."""

    path: Path | None
    media_type: str
    data: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, path: Path) -> Media:
        """The medium in a file. Raises OSError; PixapiError for a file of another kind."""
        with path.open("rb") as file:
            found = media_type(file.read(16))
        if found is None:
            raise PixapiError(f"{path} is neither a picture nor a video that we know.")
        return cls(path, found)

    @property
    def kind(self) -> Kind:
        """`image` or `video`."""
        return "video" if self.media_type.startswith("video/") else "image"

    @property
    def bytes(self) -> bytes:
        """The file's content. Raises PixapiError when the file is gone."""
        if self.data is not None:
            return self.data
        try:
            return (self.path or Path()).read_bytes()
        except OSError as error:
            raise PixapiError(
                f"{self.path} cannot be read: {error.strerror}.", hint="%pixapi resume fetches a task's files again."
            ) from error

    def to_pil(self) -> Image:
        """The picture as a PIL image. Raises PixapiError for a video."""
        from PIL import Image

        if self.kind == "video":
            raise PixapiError("a video is no picture.", hint="Use .path or .bytes for its file.")
        image = Image.open(io.BytesIO(self.bytes))
        image.load()
        return image

    def save(self, path: str | Path) -> Path:
        """Copy it to a file, or into a folder; missing folders are made. A missing suffix is added.

        A picture under a name of another kind is converted: `.save("hero.jpg")`. Raises PixapiError where that cannot be.
        """
        target = Path(path).expanduser()
        if target.is_dir() or str(path).endswith("/"):
            target = target / (self.path.name if self.path else f"pixapi{suffix(self.media_type)}")
        if not target.suffix:
            target = target.with_suffix(suffix(self.media_type))
        target.parent.mkdir(parents=True, exist_ok=True)
        usual = (".jpg", ".jpeg") if self.media_type == "image/jpeg" else (suffix(self.media_type),)
        if self.kind == "image" and target.suffix.lower() not in usual:
            self._convert(target)
        elif self.data is None and self.path is not None and self.path.exists():
            shutil.copyfile(self.path, target)
        else:
            target.write_bytes(self.bytes)
        return target

    def _convert(self, target: Path) -> None:
        image = self.to_pil()
        try:
            if image.mode != "RGB" and target.suffix.lower() in (".jpg", ".jpeg"):  # which has no transparency
                image = image.convert("RGB")
            image.save(target)
        except (ValueError, KeyError, OSError) as error:
            target.unlink(missing_ok=True)
            raise PixapiError(f"{target.name} cannot be written: {clean(error, 120)}.", hint="Try .png or .jpg.") from error

    def __repr__(self) -> str:
        return f"<{self.kind} {self.path.name if self.path else 'in memory'}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return show.result([self], prompt="", beside=Path.cwd())
