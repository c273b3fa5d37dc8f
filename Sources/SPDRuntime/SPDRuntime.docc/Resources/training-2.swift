import SPD
import SPDRuntime
import tiny_spd
import tiny_spd_train

let trainable = try TrainableNetwork(module: tiny_spd_train_module())
let trainer = try trainable.trainer(threads: 2)
try trainer.load(ParameterFile(mapping: "Sources/tiny_spd/tiny_spd.spdw"))

for (images, labels) in batches {  // [Float] of 16×3×32×32, 16 labels of type Int32
  let losses = try trainer.step(images, .labels(labels), Update(learningRate: 0.05, momentum: 0.9))
  print(losses[0])
}
