"""Networks: pretrained backbones, heads, training from scratch, evaluation, export. The only place that imports Keras.

Outside `train_loop` and `team`, which are TensorFlow's because of `tf.distribute`, everything is written with Keras 3 alone.
"""
