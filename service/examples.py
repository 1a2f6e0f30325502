"""Examples of the API's description, and the body that FastAPI cannot see because we read it ourselves."""

from __future__ import annotations

import json
from typing import Any

REQUEST: dict[str, Any] = {
    "source": {
        "kind": "image",
        "image": {"url": "https://example.com/bedroom.jpg"},
        "prompt": "a photo of a bed in a dark room",
    },
    "prompt": "a photo of a dog lying on a bed in a dark room",
    "subject": "dog",
    "seeds": [1, 2],
    "output": {"format": "png", "include": ["mask", "cutout"]},
}
GENERATED: dict[str, Any] = {
    "source": {"kind": "generated", "prompt": "a photo of a meadow", "seed": 7},
    "prompt": "a photo of a meadow with a horse",
    "subject": "horse",
}
SENTENCE: dict[str, Any] = {
    "source": {"kind": "image", "image": {"part": "photo"}},
    "prompt": "add a dog",
}
_REQUEST_REF = {"$ref": "#/components/schemas/InsertionRequest"}
_FILE = {"type": "string", "format": "binary"}

SUBMIT_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": _REQUEST_REF,
            "examples": {
                "picture": {"summary": "Into a picture", "value": REQUEST},
                "sentence": {
                    "summary": "Just what to add, where the model has a captioner",
                    "value": SENTENCE,
                },
                "generated": {"summary": "Into a generated scene", "value": GENERATED},
            },
        },
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["request"],
                "properties": {"request": _REQUEST_REF},
                "additionalProperties": {
                    **_FILE,
                    "description": "A picture: `source.image.part` or an area's `mask.part`.",
                },
            },
            "encoding": {"request": {"contentType": "application/json"}},
        },
    },
}
VARIATION: dict[str, Any] = {"seeds": [5, 6], "options": {"extended_scale": 1.1}}
VARIATION_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/VariationRequest"},
            "examples": {"bolder": {"summary": "Two more seeds, bolder", "value": VARIATION}},
        }
    },
}
MASK: dict[str, Any] = {"localizer": "grounding_sam"}
_MASK_REF = {"$ref": "#/components/schemas/MaskRequest"}
MASK_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": _MASK_REF,
            "examples": {"localizer": {"summary": "By a detector's box", "value": MASK}},
        },
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["request"],
                "properties": {"request": _MASK_REF},
                "additionalProperties": {**_FILE, "description": "The mask, named by `mask.part`."},
            },
            "encoding": {"request": {"contentType": "application/json"}},
        },
    },
}
SCENE: dict[str, Any] = {"source": REQUEST["source"]}
_SCENE_REF = {"$ref": "#/components/schemas/SceneRequest"}
SCENE_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": _SCENE_REF,
            "examples": {
                "picture": {"summary": "From a picture", "value": SCENE},
                "prompt": {"summary": "From a prompt", "value": {"source": GENERATED["source"]}},
            },
        },
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["request"],
                "properties": {"request": _SCENE_REF},
                "additionalProperties": {
                    **_FILE,
                    "description": "The picture, named by `source.image.part`.",
                },
            },
            "encoding": {"request": {"contentType": "application/json"}},
        },
    },
}
SCENE_INSERTION: dict[str, Any] = {"prompt": "add a dog"}
_SCENE_INSERTION_REF = {"$ref": "#/components/schemas/SceneInsertionRequest"}
SCENE_INSERTION_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": _SCENE_INSERTION_REF,
            "examples": {
                "head": {"summary": "To the head", "value": SCENE_INSERTION},
                "branch": {
                    "summary": "A branch from the first picture",
                    "value": {"prompt": "add a cat", "step": "first"},
                },
            },
        },
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["request"],
                "properties": {"request": _SCENE_INSERTION_REF},
                "additionalProperties": {**_FILE, "description": "A mask, named by an area's `mask.part`."},
            },
            "encoding": {"request": {"contentType": "application/json"}},
        },
    },
}
HEAD: dict[str, Any] = {"step": "first"}
HEAD_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/HeadRequest"},
            "examples": {"first": {"summary": "Back to the first picture", "value": HEAD}},
        }
    },
}
JSON_LINES = ("application/jsonl", "application/x-ndjson")
BATCH_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        kind: {
            "schema": {
                "type": "string",
                "description": "An `InsertionRequest` a line; masks and pictures inside.",
            },
            "examples": {
                "two": {"summary": "Two lines", "value": f"{json.dumps(REQUEST)}\n{json.dumps(GENERATED)}\n"}
            },
        }
        for kind in JSON_LINES
    },
}
EDIT: dict[str, Any] = {
    "image": {"image_url": "https://example.com/bedroom.jpg"},
    "prompt": "add a dog",
    "n": 2,
}
_EDIT_REF = {"$ref": "#/components/schemas/ImageEditRequest"}
EDIT_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "allOf": [_EDIT_REF],
                "type": "object",
                "properties": {
                    "image": {**_FILE, "description": "A PNG, JPEG or WebP picture; `image[]` as well."},
                    "mask": {**_FILE, "description": "A PNG; the object may be where it is transparent."},
                },
            }
        },
        "application/json": {
            "schema": _EDIT_REF,
            "examples": {"sentence": {"summary": "Two variations", "value": EDIT}},
        },
    },
}
IMAGE_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        **{f"image/{kind}": {"schema": _FILE} for kind in ("png", "jpeg", "webp")},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {**_FILE, "description": "A PNG, JPEG or WebP picture."}},
            }
        },
    },
}
