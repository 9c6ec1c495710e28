import torch

a = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
(a @ a).sum().backward()
assert a.grad.tolist() == [[7.0, 11.0], [9.0, 13.0]]
layer = torch.nn.Linear(2, 1)
optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
x = torch.rand(64, 2, generator=torch.Generator().manual_seed(0))
y = x.sum(1, keepdim=True)
for _ in range(300):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(layer(x), y)
    loss.backward()
    optimizer.step()
assert loss.item() < 0.01
assert torch.allclose(torch.linalg.inv(a.detach()) @ a.detach(), torch.eye(2), atol=1e-5)
assert not torch.cuda.is_available()
