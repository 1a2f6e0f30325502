"""The closed vocabulary: which words captions use, and teaching a pipeline's two tokenizers new ones."""

import json
from itertools import product

import torch
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline
from tokenizers import Tokenizer
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from toyland.captions import SCENE_PHRASES, place_phrases, plain_caption
from toyland.world import World
from toyland.zones import Zone


def caption_words(world: World) -> list[str]:
    """Every word that a caption of the world may contain, sorted."""
    names = [kind.name for kind in world.objects]
    texts = [plain_caption(scene, names) for scene in SCENE_PHRASES]
    for scene, zone in product(SCENE_PHRASES, Zone):
        try:
            texts.extend(place_phrases(scene, zone))
        except KeyError:  # this scene has no such zone
            continue
    return sorted({word for text in texts for word in text.split()})


def teach_words(pipeline: FluxPipeline, words: list[str]) -> None:
    """Give both tokenizers and text encoders the words they lack; a new word begins as the mean of all."""
    pipeline.tokenizer = _with_words(pipeline.tokenizer, words)
    pipeline.tokenizer_2 = _with_words(pipeline.tokenizer_2, words)
    _grow_embeddings(pipeline.text_encoder, len(pipeline.tokenizer))
    _grow_embeddings(pipeline.text_encoder_2, len(pipeline.tokenizer_2))


def _with_words(tokenizer: PreTrainedTokenizerFast, words: list[str]) -> PreTrainedTokenizerFast:
    """A word-level tokenizer that knows these words too; known words keep their ids."""
    description = json.loads(tokenizer.backend_tokenizer.to_str())
    vocabulary = description["model"]["vocab"]
    for word in words:
        vocabulary.setdefault(word, len(vocabulary))
    description["padding"] = description["truncation"] = None
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(description)),
        model_max_length=tokenizer.model_max_length,
        **tokenizer.special_tokens_map,
    )


@torch.no_grad()
def _grow_embeddings(encoder: PreTrainedModel, count: int) -> None:
    known = encoder.get_input_embeddings().weight.shape[0]
    if count > known:
        encoder.resize_token_embeddings(count, mean_resizing=False)
        weight = encoder.get_input_embeddings().weight
        weight[known:] = weight[:known].mean(0)
