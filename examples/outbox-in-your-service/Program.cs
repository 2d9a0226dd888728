using Sagas.Examples.OutboxInYourService;

await using var service = OrderService.Create(args);
await service.RunAsync();
