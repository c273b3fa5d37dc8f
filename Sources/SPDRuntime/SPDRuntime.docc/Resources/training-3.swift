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

let parameters = trainable.parameters.map { Parameter(name: $0.name, shape: $0.shape, role: .weight) }
let file = try ParameterFile(graphHash: trainable.graphHash, parameters: parameters) { trainer.values(of: $0.name)! }
let network = try Network(module: tiny_spd_module())
let session = try network.session(network.pack(file), threads: 2)
let scores = try session.infer(image)  // one image of 3×32×32
