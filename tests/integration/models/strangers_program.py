"""What somebody writes who has a model's file, its runtime and Pillow, and nothing of this project. Run, never imported.

Arguments: the folder of installed packages, a folder of pictures, and files, each after its kind. Prints what each file says of
each picture, in the order of their names, and which modules that took, as JSON.
"""

import json
import sys
from pathlib import Path

packages, folder, *files = sys.argv[1:]
# The interpreter was started without any: what lies beside the packages, and what they put on the path, stays out.
sys.path.append(packages)

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402


def picture_of(path: Path, side_px: int) -> np.ndarray:
    """As the model card says: short side resized to 256/224 of the side, middle cut out."""
    image = Image.open(path).convert("RGB")
    short_px = round(side_px * 256 / 224)
    scale = short_px / min(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BILINEAR)
    left, top = (image.width - side_px) // 2, (image.height - side_px) // 2
    return np.asarray(image.crop((left, top, left + side_px, top + side_px)), np.float32)


def ask(kind: str, file: str):
    """Return the side of the pictures that a file takes, and a function from a batch of them to probabilities."""
    if kind == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        return session.get_inputs()[0].shape[1], lambda image: session.run(["probabilities"], {"image": image})[0]
    if kind == "keras":
        import keras

        model = keras.saving.load_model(file)
        return model.input_shape[1], lambda image: model.predict(image, verbose=0)
    import tensorflow as tf

    if kind == "saved_model":
        from tempfile import mkdtemp
        from zipfile import ZipFile

        unpacked = mkdtemp(dir=Path(file).parent)
        ZipFile(file).extractall(unpacked)
        # Its variables live as long as what was loaded.
        loaded = tf.saved_model.load(unpacked)
        signature = loaded.signatures["serving_default"]
        side_px = signature.structured_input_signature[1]["image"].shape[1]
        return side_px, lambda image, _loaded=loaded: signature(image=tf.constant(image))["probabilities"].numpy()
    interpreter = tf.lite.Interpreter(file)
    runner = interpreter.get_signature_runner("serving_default")
    side_px = int(runner.get_input_details()["image"]["shape"][1])
    return side_px, lambda image: np.concatenate([runner(image=one[np.newaxis])["probabilities"] for one in image])


probabilities = {}
for kind, file in zip(files[::2], files[1::2], strict=True):
    side_px, answers = ask(kind, file)
    pictures = np.stack([picture_of(path, side_px) for path in sorted(Path(folder).iterdir())])
    probabilities[kind] = np.asarray(answers(pictures)).tolist()
print(json.dumps({"probabilities": probabilities, "modules": sorted({name.partition(".")[0] for name in sys.modules})}))
