using HmmFast.Cli;

return HmmFastCommand.Run(args, CommandIo.Console());
